"""`extends`: what comes from which file, and chains that lead nowhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nncli.config import Loaded, load, shipped_configs, to_dict
from nncli.errors import ConfigError, Problem
from nncli.models.kind import KindConfig
from nncli.schema import SCHEMAS


def loaded(folder: Path, **files: str) -> Loaded[KindConfig]:
    """The config `main`, beside the others."""
    for name, text in files.items():
        path = folder / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return load(SCHEMAS, None, str(folder / "main.yaml"))


def problems(folder: Path, **files: str) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        loaded(folder, **files)
    return caught.value.problems


def test_keys_are_laid_over_those_of_the_file_below(tmp_path: Path) -> None:
    found = loaded(
        tmp_path,
        main="extends: middle.yaml\ntraining: {epochs: 3}\n",
        middle="extends: lowest.yaml\nseed: 2\ntraining: {epochs: 2, batch_size: 8}\n",
        lowest="kind: cnn\nseed: 1\nmodel:\n  filters: [8]\n  units: 9\n",
    )
    config: Any = found.config

    assert (config.training.epochs, config.training.batch_size, config.seed) == (3, 8, 2)
    assert (config.model.filters, config.model.units) == ((8,), 9)
    origins = found.origins()
    assert origins["training.epochs"] == f"{tmp_path}/main.yaml:2"
    assert origins["training.batch_size"] == f"{tmp_path}/middle.yaml:3"
    assert origins["model.units"] == f"{tmp_path}/lowest.yaml:5"
    assert origins["training.optimizer"] == "default"
    assert "extends" not in to_dict(config)


def test_a_shipped_config_by_its_name(tmp_path: Path) -> None:
    found = loaded(tmp_path, main="extends: cnn-mnist\ntraining: {epochs: 1}\n")

    assert found.config.kind == "cnn"
    assert found.config.data.source == "mnist"
    assert found.origins()["data.source"].startswith("cnn-mnist:")


def test_another_source_starts_its_section_anew(tmp_path: Path) -> None:
    base = "kind: cnn\ndata: {source: digits, size: 20, validation: 0.3}\n"
    same = loaded(tmp_path, main="extends: base.yaml\ndata: {test: 0.1}\n", base=base)
    other = loaded(tmp_path, main="extends: base.yaml\ndata: {source: mnist}\n", base=base)

    assert to_dict(same.config)["data"]["size"] == 20
    assert to_dict(other.config)["data"]["validation"] == 0.1
    assert other.origins()["data.validation"] == "default"


def test_a_list_and_null_replace_what_is_below(tmp_path: Path) -> None:
    base = "kind: cnn\nmodel: {filters: [1, 2]}\ntraining: {early_stopping: {patience: 2}}\n"
    main = "extends: base.yaml\nmodel: {filters: [3]}\ntraining: {early_stopping: null}\n"
    config: Any = loaded(tmp_path, main=main, base=base).config

    assert config.model.filters == (3,)
    assert config.training.early_stopping is None


def test_a_path_belongs_to_the_file_that_writes_it(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "base.yaml").write_text("kind: rnn\ndata: {source: csv, path: a.csv}\n")
    config: Any = loaded(tmp_path, main="extends: sub/base.yaml\ndata: {window: 3}\n").config

    assert config.data.path == tmp_path / "sub" / "a.csv"


def test_a_shipped_config_may_extend_another() -> None:
    assert "extends:" in shipped_configs()["lstm-series"].read_text(encoding="utf-8")
    config = load(SCHEMAS, "lstm", "lstm-series").config
    below = load(SCHEMAS, "rnn", "rnn-series").config

    assert config.data == below.data
    assert config.model.model_dump()["units"] == (32,)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"main": "extends: main.yaml\n"}, "a circle: main.yaml extends main.yaml"),
        (
            {"main": "extends: a.yaml\n", "a": "extends: b.yaml\n", "b": "extends: a.yaml\n"},
            "a circle: a.yaml extends b.yaml extends a.yaml",
        ),
        (
            {"main": "extends: ./a.yaml\n", "a": "extends: ../circle/main.yaml\n"},
            "a circle: main.yaml extends a.yaml extends main.yaml",
        ),
    ],
)
def test_a_circle_is_shown_where_it_closes(
    files: dict[str, str], message: str, tmp_path: Path
) -> None:
    (problem,) = problems(tmp_path / "circle", **files)

    assert (problem.path, problem.message) == ("extends", message)
    assert (problem.line, problem.column) == (1, 10)


def test_the_problems_of_all_files_come_together(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        main="extends: base.yaml\nseed: -1\nmodel: {units: 017}\n",
        base="kind: cnn\ntraining: {epochs: x}\ndata: {size: 017}\n",
    )

    assert [(Path(p.origin).name, p.path, p.line) for p in found] == [
        ("main.yaml", "seed", 2),
        ("main.yaml", "model.units", 3),
        ("base.yaml", "training.epochs", 2),
        ("base.yaml", "data.size", 3),
    ]


def test_a_file_below_that_cannot_be_read(tmp_path: Path) -> None:
    main = "extends: base.yaml\nkind: cnn\nseed: -1\n"

    syntax, seed = problems(tmp_path, main=main, base="kind: [cnn\n")[::-1]
    assert (Path(syntax.origin).name, syntax.line, syntax.column) == ("base.yaml", 1, 7)
    assert seed.path == "seed"
    missing, seed = problems(tmp_path, main=main.replace("base", "none"))
    assert missing.message.endswith("none.yaml does not exist")
    assert (Path(missing.origin).name, missing.line) == ("main.yaml", 1)


def test_a_value_may_be_mended_above(tmp_path: Path) -> None:
    base = "kind: cnn\ntraining: {epochs: -5}\n"

    assert loaded(tmp_path, main="extends: base.yaml\ntraining: {epochs: 5}\n", base=base)
