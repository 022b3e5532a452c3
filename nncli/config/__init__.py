"""Configs: sections with their defaults and limits, strict YAML, overrides, origins.

Nothing here knows a model or a data source: the schema that a config is held against is
handed in (see `nncli.schema`).
"""

import os

# pydantic would search every installed package for plugins, at each start
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

from nncli.config.json_schema import json_schema
from nncli.config.keys import Key, keys
from nncli.config.load import Loaded, Schemas, load
from nncli.config.overrides import Override
from nncli.config.sections import (
    Config,
    Contradiction,
    EarlyStopping,
    Flag,
    Section,
    TrainingSection,
    wrong_value,
)
from nncli.config.shipped import shipped_configs
from nncli.config.write import to_dict, to_yaml

__all__ = [
    "Config",
    "Contradiction",
    "EarlyStopping",
    "Flag",
    "Key",
    "Loaded",
    "Override",
    "Schemas",
    "Section",
    "TrainingSection",
    "json_schema",
    "keys",
    "load",
    "shipped_configs",
    "to_dict",
    "to_yaml",
    "wrong_value",
]
