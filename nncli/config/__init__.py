"""Configs: sections with their defaults and limits, strict YAML, overrides, origins.

Nothing here knows a model or a data source: the schema that a config is held against is
handed in (see `nncli.schema`).
"""

from nncli.config.load import Loaded, Override, load
from nncli.config.sections import Config, EarlyStopping, Section, TrainingSection, contradiction
from nncli.config.shipped import shipped_configs
from nncli.config.write import to_dict, to_yaml

__all__ = [
    "Config",
    "EarlyStopping",
    "Loaded",
    "Override",
    "Section",
    "TrainingSection",
    "contradiction",
    "load",
    "shipped_configs",
    "to_dict",
    "to_yaml",
]
