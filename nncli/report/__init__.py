"""All terminal output: tables, progress, errors. Nothing else in nncli prints.

Results go to standard output; problems go to standard error. With `--json`, standard output
holds one JSON document and everything for people goes to standard error.
"""
