"""All terminal output: tables, progress, errors. Nothing else in nncli prints.

A run that goes well writes to standard output alone, its progress included, so that a log holds
all of it and standard error stays empty. Problems go to standard error. With `--json`, standard
output holds one JSON document and everything for people goes to standard error.
"""
