"""What `--json` prints: each document as a type that its maker is held against by mypy.

`nncli.documents.every` is the table of all, and `nncli schema` prints them as JSON Schema with the
texts below. A new document is a class here and its name in that table.
"""

SCHEMA_VERSION = 1
"""Goes up where a key goes, or comes to mean something else; not where one is added."""
