"""The JSON Schemas against the configs: what one takes, the other takes too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from nncli.config import json_schema, load, shipped_configs, to_dict
from nncli.config.strict_yaml import parse
from nncli.data import SOURCES
from nncli.errors import ConfigError, Problem
from nncli.models import KINDS
from nncli.models.applications import APPLICATIONS
from nncli.schema import SCHEMAS
from tests.test_builds import Draw, draw_config

Document = dict[str, Any]
FILES = {
    "csv": {"path": "a.csv"},
    "table": {"path": "a.csv"},
    "ts": {"path": "a"},
    "folder": {"path": "a"},
    "npz": {"path": "a.npz"},
    "npy": {"path": "a.npy"},
    "idx": {"path": "a"},
}
SMALL = {"base": "small-cnn", "weights": "random"}
FITTING = [
    (kind, source)
    for kind, row in KINDS.items()
    for source, data in SOURCES.items()
    if set(data.families) & set(row.families)
]


@cache
def validator(kind: str | None) -> Any:
    return Draft202012Validator(json_schema(SCHEMAS, kind))


def complaints(kind: str | None, document: Any) -> list[str]:
    return [
        f"{error.json_path}: {error.message}" for error in validator(kind).iter_errors(document)
    ]


def problems(kind: str | None, document: Document, folder: Path) -> tuple[Problem, ...]:
    """What nncli finds in a document that is written as a file."""
    path = folder / "my.yaml"
    path.write_text(json.dumps(document), encoding="utf-8")  # YAML 1.2 holds JSON
    return problems_of(kind, path)


def problems_of(kind: str | None, path: Path) -> tuple[Problem, ...]:
    try:
        load(SCHEMAS, kind, str(path))
    except ConfigError as error:
        return tuple(error.problems)
    return ()


def complete(kind: str, document: Document, folder: Path) -> Document:
    path = folder / "my.yaml"
    path.write_text(json.dumps(document), encoding="utf-8")  # YAML 1.2 holds JSON
    return to_dict(load(SCHEMAS, kind, str(path)).config)


def of_source(kind: str, source: str) -> Document:
    """A small config of a kind that takes a source."""
    document: Document = {"data": {"source": source, **FILES.get(source, {})}}
    if kind == "transfer":
        document["model"] = dict(SMALL)
    return document


# The schemas themselves


@pytest.mark.parametrize("kind", [*KINDS, None])
def test_it_is_a_schema_of_its_draft(kind: str | None) -> None:
    made = json_schema(SCHEMAS, kind)
    assert made["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(made)
    json.dumps(made, allow_nan=False)


def sections(made: Document) -> Iterator[tuple[str, Document]]:
    """Every part of a schema that describes a section."""
    tops = made.get("oneOf", [made])
    yield from ((top["properties"]["kind"]["const"], top) for top in tops)
    yield from made["$defs"].items()


@pytest.mark.parametrize("kind", [*KINDS, None])
def test_every_key_is_described_and_every_section_knows_its_keys(kind: str | None) -> None:
    for name, section in sections(json_schema(SCHEMAS, kind)):
        assert section["type"] == "object", name
        assert section["additionalProperties"] is False, name
        for key, field in section["properties"].items():
            assert len(field.get("description", "")) > 10, f"{name}.{key}"


@pytest.mark.parametrize("kind", [*KINDS, None])
def test_every_reference_leads_somewhere_and_every_definition_is_used(kind: str | None) -> None:
    made = json_schema(SCHEMAS, kind)

    def references(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            yield from [node["$ref"]] if "$ref" in node else []
            node = list(node.values())
        if isinstance(node, list):
            for inner in node:
                yield from references(inner)

    assert set(references(made)) == {f"#/$defs/{name}" for name in made["$defs"]}


def field(kind: str, *path: str, source: str = "") -> Document:
    """The schema of one key; of a data section that of the source."""
    made = json_schema(SCHEMAS, kind)
    node = made
    for key in path:
        node = node["properties"][key]
        choices = [node, *node.get("anyOf", ()), *node.get("oneOf", ())]
        inner = [made["$defs"][each["$ref"].split("/")[-1]] for each in choices if "$ref" in each]
        for each in inner:
            if each["properties"].get("source", {}).get("const", source) == source:
                node = each
    return node


@pytest.mark.parametrize(
    ("kind", "source", "path", "limits"),
    [
        ("cnn", "", "seed", {"type": "integer", "minimum": 0, "maximum": 2**32 - 1}),
        ("cnn", "", "training.epochs", {"minimum": 1, "maximum": 1_000_000}),
        ("cnn", "", "training.batch_size", {"type": "integer", "minimum": 1}),
        ("cnn", "", "training.learning_rate", {"exclusiveMinimum": 0, "maximum": 10}),
        ("cnn", "", "training.optimizer", {"enum": ["adam", "adamw", "sgd", "rmsprop"]}),
        ("cnn", "", "training.early_stopping.patience", {"type": "integer", "minimum": 1}),
        ("cnn", "", "training.early_stopping.min_delta", {"type": "number", "minimum": 0}),
        ("cnn", "", "model.kernel_size", {"minimum": 1, "maximum": 31}),
        ("cnn", "", "model.filters", {"type": "array", "minItems": 1, "maxItems": 8}),
        ("cnn", "", "model.dropout", {"minimum": 0, "exclusiveMaximum": 1}),
        ("cnn", "", "model.preprocessing", {"enum": ["unit", "none"]}),
        ("cnn", "digits", "data.size", {"type": "integer", "minimum": 8, "maximum": 512}),
        ("cnn", "digits", "data.test", {"exclusiveMinimum": 0, "exclusiveMaximum": 1}),
        ("cnn", "digits", "data.validation", {"minimum": 0, "exclusiveMaximum": 1}),
        ("cnn", "folder", "data.color", {"enum": ["rgb", "grayscale"]}),
        ("cnn", "folder", "data.size", {"minimum": 8, "maximum": 1024}),
        ("rnn", "sine", "data.points", {"minimum": 3, "maximum": 1_000_000}),
        ("rnn", "csv", "data.window", {"minimum": 1, "maximum": 100_000}),
        ("rnn", "csv", "data.missing", {"enum": ["refuse", "drop", "interpolate"]}),
        ("lstm", "waves", "data.features", {"minimum": 2, "maximum": 1000}),
        ("lstm", "", "model.units", {"type": "array", "minItems": 1, "maxItems": 16}),
        ("transfer", "", "model.pooling", {"enum": ["average", "max", "flatten"]}),
        ("transfer", "", "model.fine_tune.layers", {"type": "integer", "minimum": 1}),
        ("transfer", "", "pretraining.epochs", {"minimum": 1, "maximum": 1_000_000}),
        ("transfer", "digits", "pretraining.data.size", {"minimum": 8, "maximum": 512}),
    ],
)
def test_limits_and_choices_of_a_key(kind: str, source: str, path: str, limits: Document) -> None:
    found = field(kind, *path.split("."), source=source)
    assert {key: found.get(key) for key in limits} == limits


def test_a_base_is_one_of_the_networks_or_a_file() -> None:
    names, file = field("transfer", "model", "base")["anyOf"]
    assert names["enum"] == ["small-cnn", *APPLICATIONS]
    assert file["pattern"] == r"\.keras$"


# What is right


@pytest.mark.parametrize("name", shipped_configs())
def test_a_shipped_file_satisfies_its_schema(name: str) -> None:
    document = parse(shipped_configs()[name].read_text(encoding="utf-8"), name).value
    assert complaints(document["kind"], document) == []
    assert complaints(None, document) == []
    others = [kind for kind in KINDS if kind != document["kind"]]
    assert all(complaints(kind, document) for kind in others)


@pytest.mark.parametrize(("kind", "source"), FITTING)
def test_a_complete_config_satisfies_its_schema(kind: str, source: str, tmp_path: Path) -> None:
    document = of_source(kind, source)
    full = complete(kind, document, tmp_path)
    assert full["data"]["source"] == source
    for right in (document, full):
        assert complaints(kind, right) == []
        assert complaints(None, {**right, "kind": kind}) == []
    assert complete(kind, full, tmp_path) == full


@pytest.mark.parametrize(
    ("kind", "document"),
    [
        *[(kind, {}) for kind in KINDS],
        ("cnn", {"extends": "cnn-mnist"}),
        ("cnn", {"training": {"early_stopping": None}}),
        ("cnn", {"training": {"early_stopping": {}}}),
        ("rnn", {"data": {"points": 5}}),
        ("rnn", {"data": {"source": "csv", "path": "a.csv", "column": 2, "date_column": "when"}}),
        ("rnn", {"data": {"source": "csv", "path": "a.csv", "input_columns": ["b", 3]}}),
        ("cnn", {"data": {"source": "table", "path": "a.csv", "shape": [28, 28], "label": 1}}),
        ("lstm", {"data": {"source": "table", "path": "a.csv", "shape": [4], "ignore": ["id"]}}),
        ("transfer", {"pretraining": {}}),
        ("transfer", {"pretraining": {"data": {"classes": [3, 1]}}}),
        ("transfer", {"pretraining": None, "model": SMALL}),
        ("transfer", {"model": {"base": "own.keras"}, "data": {"size": 50}}),
        ("transfer", {"model": {"base": "VGG16", "weights": "own.weights.h5"}}),
        ("transfer", {"model": {"base": "MobileNetV2", "alpha": 1}}),
        ("transfer", {"model": {**SMALL, "fine_tune": {"layers": 1}, "compare": ["random"]}}),
        ("lstm", {"training": {"device": "gpu:3", "learning_rate": 1}}),
    ],
)
def test_what_is_right_for_both(kind: str, document: Document, tmp_path: Path) -> None:
    assert problems(kind, document, tmp_path) == ()
    assert complaints(kind, document) == []
    assert complaints(None, {"kind": kind, **document}) == []


@pytest.mark.parametrize("begin", range(0, 400, 100))
def test_what_the_schema_refuses_nncli_refuses(begin: int, tmp_path: Path) -> None:
    """Drawn configs, right and wrong ones, of all kinds."""
    right = 0
    for number in range(begin, begin + 100):
        kind, document = draw_config(Draw(number))
        found = problems(kind, document, tmp_path)
        right += not found
        if not found:
            full = complete(kind, document, tmp_path)
            for each in (document, full, thinned(full, Draw(number))):
                wrong = problems(kind, each, tmp_path)
                assert wrong or complaints(kind, each) == [], each
                assert wrong or complaints(None, {"kind": kind, **each}) == [], each
    assert right > 10


def thinned(document: Document, draw: Draw) -> Document:
    """The same without some of its keys."""
    kept = {key: value for key, value in document.items() if draw.maybe(0.8)}
    return {
        key: thinned(value, draw) if isinstance(value, dict) else value
        for key, value in kept.items()
    }


@pytest.mark.parametrize("begin", range(0, 400, 100))
def test_values_that_are_each_right_satisfy_the_schema(begin: int) -> None:
    """Also where they exclude each other, which the schema cannot say."""
    for number in range(begin, begin + 100):
        kind, document = draw_config(Draw(number))
        assert complaints(kind, document) == [], document


# What is wrong


WRONG: list[tuple[str, Document, str]] = [
    # unknown keys
    ("cnn", {"nothing": 1}, "nothing"),
    ("cnn", {"model": {"kernel": 3}}, "model.kernel"),
    ("cnn", {"training": {"early_stopping": {"patient": 3}}}, "training.early_stopping.patient"),
    ("cnn", {"pretraining": {}}, "pretraining"),
    ("lstm", {"model": {"filters": [3]}}, "model.filters"),
    ("transfer", {"pretraining": {"batch_size": 3}}, "pretraining.batch_size"),
    # another source's keys, another kind's sources
    ("cnn", {"data": {"points": 5}}, "data.points"),
    ("cnn", {"data": {"source": "mnist", "size": 28}}, "data.size"),
    ("cnn", {"data": {"memory_limit": 100}}, "data.memory_limit"),
    ("rnn", {"data": {"source": "csv", "path": "a.csv", "points": 5}}, "data.points"),
    ("cnn", {"data": {"source": "sine"}}, "data.source"),
    ("transfer", {"pretraining": {"data": {"source": "waves"}}}, "pretraining.data.source"),
    ("transfer", {"pretraining": {"data": {"samples": 9}}}, "pretraining.data.samples"),
    # required keys
    ("rnn", {"data": {"source": "csv"}}, "data.path"),
    ("rnn", {"data": {"path": "a.csv"}}, "data.path"),
    ("lstm", {"data": {"source": "ts"}}, "data.path"),
    ("cnn", {"data": {"source": "folder"}}, "data.path"),
    ("transfer", {"model": {**SMALL, "fine_tune": {}}}, "model.fine_tune.layers"),
    # types
    ("cnn", {"seed": "42"}, "seed"),
    ("cnn", {"seed": None}, "seed"),
    ("cnn", {"seed": True}, "seed"),
    ("cnn", {"seed": 1.5}, "seed"),
    ("cnn", {"data": None}, "data"),
    ("cnn", {"data": []}, "data"),
    ("cnn", {"model": None}, "model"),
    ("cnn", {"model": {"filters": 32}}, "model.filters"),
    ("cnn", {"model": {"filters": [32, "64"]}}, "model.filters[1]"),
    ("cnn", {"model": {"kernel_size": "3"}}, "model.kernel_size"),
    ("cnn", {"training": {"early_stopping": 5}}, "training.early_stopping"),
    ("cnn", {"training": {"learning_rate": "1e-3"}}, "training.learning_rate"),
    ("cnn", {"training": {"learning_rate": True}}, "training.learning_rate"),
    ("rnn", {"data": {"source": "csv", "path": 3}}, "data.path"),
    ("rnn", {"data": {"source": "csv", "path": "a.csv", "column": 1.5}}, "data.column"),
    (
        "rnn",
        {"data": {"source": "csv", "path": "a.csv", "input_columns": "b"}},
        "data.input_columns",
    ),
    ("cnn", {"data": {"source": "table", "path": "a.csv", "shape": [4.5]}}, "data.shape[0]"),
    ("transfer", {"model": {"base": 3}}, "model.base"),
    ("transfer", {"model": {"alpha": "1"}}, "model.alpha"),
    # ranges
    ("cnn", {"seed": -1}, "seed"),
    ("cnn", {"seed": 2**32}, "seed"),
    ("cnn", {"training": {"epochs": 0}}, "training.epochs"),
    ("cnn", {"training": {"learning_rate": 0}}, "training.learning_rate"),
    ("cnn", {"training": {"learning_rate": 10.5}}, "training.learning_rate"),
    ("cnn", {"training": {"threads": 0}}, "training.threads"),
    ("cnn", {"model": {"dropout": 1}}, "model.dropout"),
    ("cnn", {"model": {"filters": []}}, "model.filters"),
    ("cnn", {"model": {"filters": [1] * 9}}, "model.filters"),
    ("cnn", {"model": {"filters": [0]}}, "model.filters[0]"),
    ("cnn", {"data": {"size": 7}}, "data.size"),
    ("cnn", {"data": {"test": 0}}, "data.test"),
    ("cnn", {"data": {"classes": [10, 3]}}, "data.classes[0]"),
    ("cnn", {"data": {"classes": [3]}}, "data.classes"),
    ("rnn", {"data": {"source": "csv", "path": "a.csv", "column": 0}}, "data.column"),
    (
        "rnn",
        {"data": {"source": "csv", "path": "a.csv", "input_columns": [0]}},
        "data.input_columns[0]",
    ),
    ("cnn", {"data": {"source": "table", "path": "a.csv", "shape": [1] * 4}}, "data.shape"),
    ("rnn", {"data": {"points": 2}}, "data.points"),
    ("lstm", {"data": {"noise": 100.5}}, "data.noise"),
    ("transfer", {"model": {"base": "MobileNet", "alpha": 0.01}}, "model.alpha"),
    ("transfer", {"pretraining": {"epochs": 0}}, "pretraining.epochs"),
    ("transfer", {"model": {**SMALL, "fine_tune": {"layers": 0}}}, "model.fine_tune.layers"),
    # words
    ("cnn", {"kind": "rnn"}, "kind"),
    ("cnn", {"kind": "cnnn"}, "kind"),
    ("cnn", {"data": {"source": "minst"}}, "data.source"),
    ("cnn", {"model": {"activation": "Relu"}}, "model.activation"),
    ("cnn", {"training": {"optimizer": "Adam"}}, "training.optimizer"),
    ("cnn", {"training": {"monitor": "val_los"}}, "training.monitor"),
    ("cnn", {"training": {"device": "gpu:x"}}, "training.device"),
    ("cnn", {"training": {"device": "tpu"}}, "training.device"),
    ("transfer", {"model": {"base": "VGG17"}}, "model.base"),
    ("transfer", {"model": {"base": "own.h5"}}, "model.base"),
    ("transfer", {"model": {"base": "VGG16", "weights": "own.keras"}}, "model.weights"),
    ("transfer", {"model": {**SMALL, "compare": ["nothing"]}}, "model.compare[0]"),
    ("cnn", {"extends": 3}, "extends"),
    ("cnn", {"extends": None}, "extends"),
]


@pytest.mark.parametrize(("kind", "document", "key"), WRONG)
def test_what_is_wrong_for_both(kind: str, document: Document, key: str, tmp_path: Path) -> None:
    assert key in {problem.path for problem in problems(kind, document, tmp_path)}
    assert complaints(kind, document)
    if document != {"kind": "rnn"}:  # by itself it is right
        assert complaints(None, {"kind": kind, **document})


@pytest.mark.parametrize("document", [{}, {"seed": 3}, {"kind": "gru"}, {"kind": None}])
def test_without_a_kind_nobody_knows_what_it_trains(document: Document, tmp_path: Path) -> None:
    assert complaints(None, document)
    assert "kind" in {problem.path for problem in problems(None, document, tmp_path)}


@pytest.mark.parametrize("document", [None, [], 3, "cnn"])
def test_a_config_is_a_mapping(document: object) -> None:
    assert complaints("cnn", document)
    assert complaints(None, document)


@pytest.mark.parametrize(
    ("written", "right"),
    [
        *[(word, True) for word in ("true", "false", "yes", "no", "on", "off")],
        *[(word, True) for word in ("'yes'", "'no'", "'on'", "'off'")],
        *[(word, True) for word in ("True", "Yes", "YES", "No", "NO", "On", "ON", "Off", "OFF")],
        *[(word, False) for word in ("y", "n", "1", "0", "1.0", "null", "'true'", "'false'", "~")],
        *[(word, False) for word in ("yEs", "oN", "nO", "oFF")],
        *[(word, False) for word in ("maybe", "[yes]", "{}", "' yes'")],
    ],
)
def test_yes_and_no_are_taken_for_a_flag_by_both(written: str, right: bool, tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(f"training:\n  shuffle: {written}\n", encoding="utf-8")
    document = parse(path.read_text(encoding="utf-8"), "my.yaml").value
    for kind in KINDS:
        assert (problems_of(kind, path) == ()) == right, f"{kind} by nncli"
        assert (complaints(kind, document) == []) == right, f"{kind} by the schema"


# Defaults


DEFAULTS: list[tuple[str, Document]] = [
    *[(kind, {}) for kind in KINDS],
    *[(kind, of_source(kind, source)) for kind, source in FITTING],
    ("cnn", {"training": {"early_stopping": {}}}),
    ("cnn", {"data": {"validation": 0}}),
    ("transfer", {"model": {"base": "VGG16"}}),
    ("transfer", {"model": {"base": "VGG16", "weights": "random", "fine_tune": {"layers": 2}}}),
    ("transfer", {"model": {"base": "own.keras"}}),
    ("transfer", {"data": {"source": "mnist"}, "pretraining": {"data": {"source": "digits"}}}),
]


def stated(kind: str, full: Document) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every default that a schema states for the sections that a complete config has."""
    made = json_schema(SCHEMAS, kind)

    def walk(section: Document, values: Document, path: tuple[str, ...]) -> Iterator[Any]:
        for key, value in values.items():
            known = section["properties"][key]
            if "default" in known:
                yield (*path, key), known["default"]
            if not isinstance(value, dict):
                continue
            for each in [known, *known.get("anyOf", ()), *known.get("oneOf", ())]:
                if "$ref" not in each:
                    continue
                inner = made["$defs"][each["$ref"].split("/")[-1]]
                source = value.get("source")
                if inner["properties"].get("source", {}).get("const", source) == source:
                    yield from walk(inner, value, (*path, key))

    yield from walk(made, full, ())


def at(document: Any, path: tuple[str, ...]) -> Any:
    """The value at a path; `...` where there is none."""
    for key in path:
        if not isinstance(document, dict) or key not in document:
            return ...
        document = document[key]
    return document


@pytest.mark.parametrize(("kind", "document"), DEFAULTS)
def test_a_stated_default_is_what_stands_where_nothing_is_written(
    kind: str, document: Document, tmp_path: Path
) -> None:
    full = complete(kind, document, tmp_path)
    defaults = [(path, value) for path, value in stated(kind, full) if at(document, path) is ...]
    assert len(defaults) > 10
    wrong = {
        ".".join(path): f"said to be {value!r}, is {at(full, path)!r}"
        for path, value in defaults
        if at(full, path) != value
    }
    assert wrong == {}


@pytest.mark.parametrize("kind", KINDS)
def test_the_usual_defaults_are_stated(kind: str, tmp_path: Path) -> None:
    found = dict(stated(kind, complete(kind, {}, tmp_path)))
    assert found[("seed",)] == 42
    assert found[("training", "optimizer")] == "adam"
    assert ("training", "threads") not in found, "it is another on every machine"
