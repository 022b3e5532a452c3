"""The config class of each kind: the lesson's defaults, and the sources that fit."""

from __future__ import annotations

from typing import Any

import pytest

from nncli.config import load
from nncli.data import SOURCES
from nncli.errors import ConfigError, UsageError
from nncli.models import KINDS
from nncli.schema import SCHEMAS, find_kind, schema

DEFAULTS: dict[str, dict[str, Any]] = {
    "rnn": {
        "data.source": "sine",
        "data.points": 21,
        "training.batch_size": 1,
        "model.units": (32,),
        "training.epochs": 100,
        "training.learning_rate": 0.001,
        "training.early_stopping": None,
    },
    "lstm": {
        "data.source": "waves",
        "data.steps": 100,
        "data.features": 10,
        "model.units": (64, 64),
    },
    "cnn": {
        "data.source": "digits",
        "data.size": 28,
        "model.filters": (32, 64),
        "model.kernel_size": 3,
        "model.pool_size": 2,
        "model.units": 128,
        "model.activation": "relu",
        "model.dropout": 0.0,
    },
    "transfer": {
        "data.source": "digits",
        "data.classes": (5, 6, 7, 8, 9),
        "model.base": "small-cnn",
        "model.weights": "pretrain",
        "model.units": 256,
        "model.dropout": 0.5,
        "model.pooling": "average",
        "model.compare": ("scratch",),
        "pretraining.data.classes": (0, 1, 2, 3, 4),
    },
}
OF_BOTH = {"table", "npz", "npy", "idx"}
FITTING = {
    "rnn": {"sine", "csv", "waves", "ts"} | OF_BOTH,
    "lstm": {"sine", "csv", "waves", "ts"} | OF_BOTH,
    "cnn": {"digits", "mnist", "fashion-mnist", "cifar10", "cifar100", "folder"} | OF_BOTH,
    "transfer": {"digits", "mnist", "fashion-mnist", "cifar10", "cifar100", "folder"} | OF_BOTH,
}


def test_every_kind_is_in_the_tables() -> None:
    assert set(DEFAULTS) == set(FITTING) == set(KINDS)


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [(kind, key, value) for kind, keys in DEFAULTS.items() for key, value in keys.items()],
)
def test_defaults_of_the_lesson(kind: str, key: str, value: object) -> None:
    got: Any = load(SCHEMAS, kind).config
    for part in key.split("."):
        got = getattr(got, part)

    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize("kind", KINDS)
def test_defaults_that_all_share(kind: str) -> None:
    config = load(SCHEMAS, kind).config

    assert config.kind == kind
    assert config.seed == 42
    assert config.training.optimizer == "adam"
    assert config.training.monitor == "auto"
    assert config.training.shuffle is True
    assert config.training.device == "auto"
    assert config.training.threads >= 1


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("kind", KINDS)
def test_only_sources_that_fit(kind: str, source: str, tmp_path: Any) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(f"data: {{source: {source}}}\n")
    try:
        found = load(SCHEMAS, kind, str(path)).config.data.model_dump()["source"]
        refused = ""
    except ConfigError as error:
        (problem,) = error.problems
        found, refused = source, problem.path

    assert found == source
    if source not in FITTING[kind]:
        assert refused == "data.source"
        assert "is not one of" in problem.message
    elif kind == "transfer" and source in {"cifar10", "cifar100"}:
        # its base would be trained on the default digits, which are not of their size and colours
        assert refused == "data.source"
        assert "pictures of 28×28×1, but the task has 32×32×3" in problem.message
        assert problem.related == (
            "pretraining.data.size",
            "pretraining.data.source",
            "model.weights",
            "model.base",
        )
    else:
        assert refused in {"", "data.path"}


def test_pretraining_takes_the_same_sources(tmp_path: Any) -> None:
    path = tmp_path / "my.yaml"
    path.write_text("pretraining: {data: {source: sine}}\n")
    with pytest.raises(ConfigError) as caught:
        load(SCHEMAS, "transfer", str(path))

    (problem,) = caught.value.problems
    assert problem.path == "pretraining.data.source"


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_made_once(kind: str) -> None:
    assert schema(kind) is schema(kind)
    assert schema(kind).__doc__ == find_kind(kind).summary


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("cnnn", "did you mean 'cnn'?"),
        ("LSTM", "did you mean 'lstm'?"),
        ("tranfer", "did you mean 'transfer'?"),
        ("cnn-mnist", "it is a shipped config: nncli train cnn --config cnn-mnist"),
        ("gru-of-mine", f"choose one of {', '.join(KINDS)}"),
    ],
)
def test_an_unknown_kind(name: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        schema(name)

    assert caught.value.message == f"unknown kind '{name}'"
    assert caught.value.hint == hint
