"""A config that validates builds: the shipped ones, and ones drawn from all that can be written.

25 drawn configs; NNCLI_BUILDS=200 draws so many. What is drawn depends on its number alone.
"""

from __future__ import annotations

import os
import random
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from nncli import backend, data
from nncli.cli import main
from nncli.config import Config, Loaded, Override, load, shipped_configs, to_dict, to_yaml
from nncli.config.strict_yaml import parse
from nncli.data import SOURCES
from nncli.data.dataset import Dataset, Facts, Split
from nncli.data.source import DataSection
from nncli.errors import ConfigError
from nncli.models import KINDS
from nncli.models.applications import APPLICATIONS
from nncli.models.describe import describe
from nncli.models.kind import KindConfig, Plan
from nncli.models.transfer import TransferConfig, TransferSettings
from nncli.report.run import RunReport
from nncli.results import Array
from nncli.schema import SCHEMAS, find_kind, kind_of
from tests import made
from tests.data.test_foreseen import COUNTS

BUILDS = int(os.environ.get("NNCLI_BUILDS", "25"))
MOST_PARAMETERS = 8_000_000
"""Of a model that is built here."""
MOST_SAMPLES = 120
"""Of a part that is made here in place of a large one."""
FILES = {"csv", "table", "ts", "folder", "npz", "npy", "idx"}
"""Sources of the user's own files; nothing is known of them but what their section says."""


@pytest.fixture(autouse=True)
def no_old_models(started: None) -> Iterator[None]:
    yield
    backend.keras().backend.clear_session(free_memory=False)


# Data in the place of what is large, downloaded or the user's own


@cache
def pictures(seed: int, shape: tuple[int, ...], count: int) -> Array:
    return np.random.default_rng(seed).integers(0, 256, (count, *shape)).astype(np.uint8)


def made_from(section: DataSection) -> Dataset:
    """A small dataset that is what the section foresees.

    The pictures of a source are the same whatever else its section says, as the real ones are.
    """
    facts = section.facts()
    sections = SOURCES[section.source].sections
    family = next(family for family, each in sections.items() if isinstance(section, each))
    count = MOST_SAMPLES if facts.train is None else min(facts.train, MOST_SAMPLES)
    if family != "images":
        return replace(made.sequences(samples=count), name=section.source)
    shape = facts.input_shape or (28, 28, 1)
    classes = facts.classes or 3
    name = str(getattr(section, "path", section.source)) + str(getattr(section, "classes", ""))
    x = pictures(zlib.crc32(name.encode()), shape, MOST_SAMPLES + 40)

    def part(begin: int, end: int) -> Split:
        return Split(x[begin:end], np.arange(end - begin, dtype=np.int64) % classes)

    return Dataset(
        name=section.source,
        family="images",
        task="classification",
        train=part(0, count),
        validation=part(MOST_SAMPLES, MOST_SAMPLES + 20) if facts.validation else None,
        test=part(MOST_SAMPLES + 20, MOST_SAMPLES + 40),
        classes=tuple(str(number) for number in range(classes)),
    )


def read(section: DataSection, seed: int) -> Dataset:
    """The real samples where they are built in and small; others in their place."""
    small = getattr(section, "size", 0) <= 40
    if small and not SOURCES[section.source].needs_network and section.source not in FILES:
        return data.load(section, seed)
    return made_from(section)


def facts_of(section: DataSection, dataset: Dataset) -> Facts:
    """What is known once the samples are read; of made ones, how many the real ones would be."""
    foreseen = section.facts()
    if section.source not in COUNTS:
        made_up = foreseen.train is not None and foreseen.train > len(dataset.train)
        return replace(dataset.facts, train=foreseen.train) if made_up else dataset.facts
    without: Any = section.model_copy(update={"train_per_class": None})
    left, counts = without.facts().train, COUNTS[section.source][0]
    few = getattr(section, "train_per_class", None) or left
    train = sum(min(few, left * count // sum(counts)) for count in counts)
    return replace(dataset.facts, train=foreseen.train or train)


def build(kind: str, loaded: Loaded[Any]) -> Plan:
    """What `nncli train --dry-run` does after a config has been read."""
    config = loaded.config
    dataset = read(config.data, config.seed)
    chosen = loaded.settle(facts_of(config.data, dataset)).config
    section = getattr(chosen, "pretraining", None)
    before = read(section.data, chosen.seed) if section is not None else None
    backend.keras().utils.set_random_seed(chosen.seed)
    plan = find_kind(kind).plan(chosen, dataset, before)
    rows, notes = describe(plan.model), (*dataset.notes, *plan.notes)
    shape = plan.dataset.test.x.shape[1:]
    assert tuple(plan.model.input_shape[1:]) == rows[0].output_shape == shape
    assert plan.model.count_params() >= 1
    assert parse(to_yaml(chosen), "dry run").value == to_dict(chosen)
    for as_json in (False, True):
        report = RunReport("dry run", quiet=False, as_json=as_json)
        report.dry_run(to_dict(chosen), to_yaml(chosen), rows, [dataset.name], notes)
    return plan


# The shipped ones


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made samples for the sources that download or read the user's files."""

    def instead(section: Any, _seed: int) -> Dataset:
        return made_from(section)

    for name, source in SOURCES.items():
        if source.needs_network or name in FILES:
            monkeypatch.setitem(SOURCES, name, replace(source, load=instead))


@pytest.mark.parametrize("name", shipped_configs())
def test_a_shipped_config_builds(
    name: str, elsewhere: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kind = kind_of(name)
    config = load(SCHEMAS, kind, name).config
    arguments = ["train", kind, "--config", name, "--dry-run", "--device", "cpu"]
    arguments += ["--output", str(tmp_path)]
    if to_dict(config)["model"].get("weights") == "imagenet":
        arguments += ["--set", "model.weights=random"]
    assert main(arguments) == 0, capsys.readouterr().err
    said = capsys.readouterr().out
    assert f"kind: {kind}" in said
    assert "Total params" in said
    assert list(tmp_path.iterdir()) in ([], [tmp_path / kind]), "nothing is kept of a dry run"
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("kind", KINDS)
def test_the_defaults_of_a_kind_build(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["train", kind, "--dry-run", "--device", "cpu", "--output", str(tmp_path)]
    assert main(arguments) == 0, capsys.readouterr().err


# Drawn ones

Values = dict[str, Any]


class Draw:
    """Numbers of a test's own."""

    def __init__(self, number: int) -> None:
        self.random = random.Random(number)

    def one(self, *choices: Any) -> Any:
        """One of several, each as likely."""
        return self.random.choice(choices)

    def maybe(self, chance: float = 0.5) -> bool:
        return self.random.random() < chance

    def whole(self, low: int, high: int) -> int:
        """Any number of a range, small ones more often."""
        power: float = (high / low) ** self.random.random()
        return round(low * power)

    def share(self, *, zero: bool) -> float:
        usual = self.one(0.1, 0.15, 0.2, 0.25, 0.3, 0.5, round(self.random.random() * 0.6, 3))
        return 0.0 if zero and self.maybe(0.2) else float(usual)

    def some(self, **makers: Callable[[], Any]) -> Values:
        """Some of the keys, each with a value of its own."""
        return {key: make() for key, make in makers.items() if self.maybe()}


def draw_data(draw: Draw, family: str) -> Values:
    """A data section of a family, without those of files."""
    names = [name for name, row in SOURCES.items() if family in row.families and name not in FILES]
    source = draw.one(*names, "digits") if family == "images" else draw.one(*names)
    if source == "sine":
        end = draw.random.uniform(0.001, 1e6)
        more = draw.some(points=lambda: draw.whole(3, 3000), end=lambda: end)
    elif source == "waves":
        more = draw.some(
            samples=lambda: draw.whole(20, 300),
            steps=lambda: draw.whole(20, 300),
            features=lambda: draw.whole(2, 60),
            noise=lambda: draw.one(0, 0.5, 100),
            validation=lambda: draw.share(zero=True),
            test=lambda: draw.share(zero=False),
        )
    elif source == "digits":
        more = draw.some(
            size=lambda: draw.one(draw.whole(8, 40), draw.whole(8, 128), draw.whole(8, 512)),
            classes=lambda: draw.random.sample(range(10), draw.one(2, 3, 5, 10)),
            train_per_class=lambda: draw.whole(1, 400),
            validation_per_class=lambda: draw.whole(1, 100),
            validation=lambda: draw.share(zero=True),
            test=lambda: draw.share(zero=False),
        )
    else:
        more = draw.some(
            limit=lambda: draw.whole(50, 70_000),
            train_per_class=lambda: draw.whole(1, 9000),
            validation=lambda: draw.share(zero=True),
        )
    return {"source": source, **more}


def draw_model(draw: Draw, kind: str) -> Values:
    dropout = {"dropout": draw.one(0, 0.5, 0.999999, 1 - 2**-53)} if draw.maybe() else {}
    if kind in {"rnn", "lstm"}:
        layers = draw.whole(1, 16)
        return {**dropout, "units": [draw.whole(1, 300) for _ in range(layers)]}
    if kind == "cnn":
        layers = draw.whole(1, 8)
        more = draw.some(
            kernel_size=lambda: draw.whole(1, 31),
            pool_size=lambda: draw.whole(1, 8),
            units=lambda: draw.whole(1, 3000),
            activation=lambda: draw.one(
                "relu", "sigmoid", "tanh", "elu", "selu", "gelu", "silu", "leaky_relu"
            ),
            preprocessing=lambda: draw.one("unit", "none"),
            filters=lambda: [draw.whole(1, 128) for _ in range(layers)],
        )
        return {**dropout, **more}
    base = draw.one("small-cnn", "small-cnn", *draw_from_networks(draw))
    more = draw.some(
        preprocessing=lambda: draw.one("auto", "unit", "none"),
        pooling=lambda: draw.one("average", "max", "flatten"),
        units=lambda: draw.whole(1, 4000),
        fine_tune=lambda: {"layers": draw.whole(1, draw.one(4, 200)), "epochs": 1},
        compare=lambda: draw.one([], ["scratch"], ["random"], ["random", "scratch"]),
    )
    if base != "small-cnn":
        more["weights"] = "random"
        if APPLICATIONS[base].widths and draw.maybe():
            more["alpha"] = draw.one(0.05, 0.35, 1, 1.3, round(draw.random.uniform(0.05, 2), 2))
    elif draw.maybe(0.3):
        more["weights"] = "random"
    return {**dropout, "base": base, **more}


def draw_from_networks(draw: Draw) -> list[str]:
    """Two that are built soon; the slow and large ones are left to test_applications.py."""
    soon = ["MobileNet", "MobileNetV2", "MobileNetV3Small", "MobileNetV3Large", "EfficientNetB0"]
    return draw.random.sample(soon, 2)


def draw_config(draw: Draw) -> tuple[str, Values]:
    """A kind and a config of it, right or wrong."""
    kind = draw.one(*KINDS)
    family = draw.one(*KINDS[kind].families)
    training = draw.some(
        epochs=lambda: draw.whole(1, 1_000_000),
        batch_size=lambda: draw.one(1, draw.whole(1, 200), draw.whole(1, 60_000)),
        shuffle=lambda: draw.one(True, False, "yes", "off"),
        optimizer=lambda: draw.one("adam", "adamw", "sgd", "rmsprop"),
        learning_rate=lambda: draw.one(1e-300, 0.001, 10),
        monitor=lambda: draw.one("auto", "loss", "val_loss", "accuracy", "mean_absolute_error"),
        early_stopping=lambda: draw.one(None, {}, {"patience": 10**30, "min_delta": 1e300}),
        device=lambda: draw.one("auto", "cpu"),
    )
    config: Values = {"data": draw_data(draw, family), "model": draw_model(draw, kind)}
    config["seed"] = draw.one(0, 42, 2**32 - 1)
    if draw.maybe(0.8):
        config["training"] = training
    if kind == "transfer" and config["model"].get("weights") != "random" and draw.maybe():
        config["pretraining"] = {
            "data": draw_pretraining(draw, config["data"]),
            "epochs": draw.whole(1, 100),
        }
    return kind, config


def draw_pretraining(draw: Draw, task: Values) -> Values:
    """Pictures for the base, most often such as go with the task's."""
    if task["source"] == "digits" and "classes" in task and len(task["classes"]) < 9:
        others = [digit for digit in range(10) if digit not in task["classes"]]
        return {"source": "digits", "classes": others, "size": task.get("size", 28)}
    if draw.maybe(0.8):
        grey, colour = ["mnist", "fashion-mnist", "digits"], ["cifar10", "cifar100"]
        group = grey if task["source"] in grey else colour
        return {"source": draw.one(*group)}
    return draw_data(draw, "images")


def loaded_from(kind: str, config: Values, folder: Path) -> Loaded[KindConfig]:
    """Read as a file, in YAML."""
    path = folder / "drawn.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return load(SCHEMAS, kind, str(path))


def is_quick(config: Config) -> bool:
    """Whether a config that validates is built soon and in little memory."""
    assert isinstance(config, KindConfig)
    shape = config.foreseen().input_shape
    assert shape is not None
    count = config.parameters(config.foreseen())
    if isinstance(config, TransferConfig) and shape[0] > 96:
        assert isinstance(config.model, TransferSettings)
        return config.model.application is None and count <= MOST_PARAMETERS
    return count <= MOST_PARAMETERS


def valid(number: int, folder: Path) -> tuple[str, Values, Loaded[KindConfig]]:
    """The first config of this number's that validates."""
    draw = Draw(number)
    for _ in range(1000):
        kind, config = draw_config(draw)
        try:
            loaded = loaded_from(kind, config, folder)
        except ConfigError:
            continue
        if is_quick(loaded.config):
            return kind, config, loaded
    raise AssertionError("none of 1000 validates")


@pytest.mark.parametrize("number", range(BUILDS))
def test_a_drawn_config_builds(number: int, tmp_path: Path) -> None:
    kind, config, loaded = valid(number, tmp_path)
    try:
        build(kind, loaded)
    except Exception as error:
        error.add_note(f"nncli train {kind} with {config}")
        raise


def test_the_drawn_configs_are_of_all_kinds_and_sources(tmp_path: Path) -> None:
    drawn = [valid(number, tmp_path)[2].config for number in range(60)]
    assert {config.kind for config in drawn} == set(KINDS)
    sources = {config.data.source for config in drawn}
    assert sources == set(SOURCES) - FILES
    bases = {str(to_dict(config)["model"].get("base")) for config in drawn}
    assert {"small-cnn", "None"} < bases


# Corners: each is refused, or it builds

CORNERS: dict[str, tuple[str, list[str]]] = {
    "a batch between the fewest and the most samples of a limited training part": (
        "cnn",
        ["data.train_per_class=117", "training.batch_size=1165"],
    ),
    "a batch of more than a limited training part has": (
        "cnn",
        ["data.train_per_class=117", "training.batch_size=1171"],
    ),
    "a batch of a million of a limited training part": (
        "cnn",
        ["data.train_per_class=117", "training.batch_size=1000000"],
    ),
    "few samples and a batch that nobody chose": (
        "cnn",
        ["data.classes=[0, 1]", "data.test=0.9", "data.validation=0.05",
         "data.train_per_class=50"],
    ),
    "a batch of exactly the training part": ("cnn", ["training.batch_size=1168"]),
    "a batch of one more than the training part": ("cnn", ["training.batch_size=1169"]),
    "the same set for the task and for the base": (
        "transfer",
        ["data.source=mnist", "pretraining.data.source=mnist"],
    ),
    "the same set in other amounts": (
        "transfer",
        ["data.source=cifar10", "data.limit=500", "pretraining.data.source=cifar10"],
    ),
    "the same folder for the task and for the base": (
        "transfer",
        [
            "data={source: folder, path: pets, size: 20}",
            "pretraining.data={source: folder, path: pets, size: 20}",
        ],
    ),
    "a folder and another of another colour": (
        "transfer",
        [
            "data={source: folder, path: pets, size: 20}",
            "pretraining.data={source: folder, path: cars, size: 20, color: grayscale}",
        ],
    ),
    "a set and digits of its size": (
        "transfer",
        ["data.source=fashion-mnist", "pretraining.data.classes=[1, 0]"],
    ),
    "the smallest pictures of the small network": (
        "transfer",
        ["data.size=10", "pretraining.data.size=10", "model.pooling=flatten"],
    ),
    "smaller ones": ("transfer", ["data.size=9", "pretraining.data.size=9"]),
    "all layers of the small network": ("transfer", ["model.fine_tune.layers=4"]),
    "one layer more": ("transfer", ["model.fine_tune.layers=5"]),
    "all layers of a network": (
        "transfer",
        ["model.base=VGG16", "model.weights=random", "model.fine_tune.layers=19"],
    ),
    "one layer more than a network has": (
        "transfer",
        ["model.base=VGG16", "model.weights=random", "model.fine_tune.layers=20"],
    ),
    "grey pictures of a set that are too small for a network": (
        "transfer",
        ["data.source=mnist", "model.base=VGG16", "model.weights=random"],
    ),
    "a narrow network with all its layers": (
        "transfer",
        ["model.base=MobileNetV3Small", "model.weights=random", "model.alpha=0.05",
         "model.fine_tune.layers=157", "data.size=32"],
    ),
    "a wide network": (
        "transfer",
        ["model.base=MobileNet", "model.weights=random", "model.alpha=4", "data.size=32"],
    ),
    "a kernel as large as the picture": (
        "cnn",
        ["data.size=31", "model.kernel_size=31", "model.pool_size=1", "model.filters=[3]"],
    ),
    "pooling that leaves one place": (
        "cnn",
        ["data.size=8", "model.kernel_size=1", "model.pool_size=8", "model.filters=[3]"],
    ),
    "eight convolutions that leave one place": (
        "cnn",
        ["data.size=256", "model.kernel_size=1", "model.filters=[2, 2, 2, 2, 2, 2, 2, 2]"],
    ),
    "eight convolutions that leave nothing": (
        "cnn",
        ["data.size=255", "model.kernel_size=1", "model.filters=[2, 2, 2, 2, 2, 2, 2, 2]"],
    ),
    "one training image of each class and no validation": (
        "transfer",
        ["data.train_per_class=1", "data.validation=0", "pretraining.data.train_per_class=1",
         "pretraining.data.validation=0"],
    ),
    "a long sequence": ("lstm", ["data.steps=10000", "data.samples=20", "data.test=0.25",
                                 "data.validation=0.25", "data.features=2"]),
    "many points of a wave": ("rnn", ["data.points=1000000"]),
    "a wave of no length": ("rnn", ["data.start=1.0", "data.end=1.0000000000000002"]),
    "sixteen layers": ("rnn", ["model.units=[1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8]"]),
    "numbers of hundreds of digits": (
        "cnn",
        [f"data.train_per_class={10**300}", f"data.validation_per_class={10**300}",
         f"training.early_stopping.patience={10**300}"],
    ),
    "the smallest share there is": ("cnn", ["data.classes=[1, 2]", "data.test=5e-324"]),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "sets"), CORNERS.values(), ids=list(CORNERS))
def test_a_corner_is_refused_or_builds(kind: str, sets: list[str]) -> None:
    try:
        loaded = load(SCHEMAS, kind, None, [Override.from_set(text) for text in sets])
    except ConfigError:
        return
    build(kind, loaded)


REFUSED_CORNERS = (
    "a batch of more than a limited training part has",
    "a batch of a million of a limited training part",
    "a batch of one more than the training part",
    "the same set for the task and for the base",
    "the same set in other amounts",
    "the same folder for the task and for the base",
    "a folder and another of another colour",
    "smaller ones",
    "one layer more",
    "one layer more than a network has",
    "grey pictures of a set that are too small for a network",
    "eight convolutions that leave nothing",
    "the smallest share there is",
)
MAY_BE_EITHER = ("a batch between the fewest and the most samples of a limited training part",)


@pytest.mark.parametrize("name", [name for name in CORNERS if name not in MAY_BE_EITHER])
def test_corners_are_refused_where_they_have_to_be(name: str) -> None:
    kind, sets = CORNERS[name]
    refused = False
    try:
        load(SCHEMAS, kind, None, [Override.from_set(text) for text in sets])
    except ConfigError:
        refused = True
    assert refused == (name in REFUSED_CORNERS)


@pytest.mark.parametrize("number", ["99", "9" * 40, "9" * 5000, "٣٣"])
def test_a_graphics_card_that_is_not_there_is_a_slip_of_the_user(
    number: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["train", "rnn", "--dry-run", "--output", str(tmp_path)]
    assert main([*arguments, "--device", f"gpu:{number}"]) == 2
    assert "gpu" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kind", "sets"),
    [
        ("rnn", []),
        ("lstm", ["model.units=[3, 5]"]),
        ("cnn", ["model.pool_size=3", "model.filters=[3]"]),
        ("transfer", ["model.pooling=flatten"]),
        ("transfer", ["model.base=VGG16", "model.weights=random", "data.size=40"]),
        ("transfer", ["model.base=MobileNetV2", "model.weights=random", "model.alpha=0.35"]),
    ],
)
def test_the_foreseen_parameters_are_at_most_those_that_are_built(
    kind: str, sets: list[str]
) -> None:
    loaded = load(SCHEMAS, kind, None, [Override.from_set(text) for text in sets])
    config = loaded.config
    foreseen = config.parameters(config.foreseen())
    built = build(kind, loaded).model.count_params()
    assert built * 0.5 < foreseen <= built


def test_a_model_larger_than_memory_is_refused_before_it_is_built() -> None:
    for kind, text in (
        ("rnn", "model.units=[8192, 8192, 8192, 8192, 8192]"),
        ("lstm", "model.units=[8192, 8192]"),
        ("cnn", "model.filters=[8192, 8192]"),
        ("transfer", "model={pooling: flatten, units: 65536}"),
    ):
        sets = [Override.from_set(text)]
        if kind == "transfer":
            sets += [Override.from_set(f"{key}.size=256") for key in ("data", "pretraining.data")]
        with pytest.raises(ConfigError, match="problem") as caught:
            load(SCHEMAS, kind, None, sets)
        (problem,) = caught.value.problems
        assert "parameters" in problem.message
