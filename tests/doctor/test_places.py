from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

import pytest

from nncli.doctor import places
from tests.doctor import made


def test_outputs_that_can_be_written(tmp_path: Path) -> None:
    check = places.check_outputs(made.machine(tmp_path, output=tmp_path / "outputs"))
    assert check.status == "ok"
    assert str(tmp_path / "outputs") in check.finding
    assert check.facts["free"] == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.1)
    assert not (tmp_path / "outputs").exists()


def test_a_file_in_the_way_of_outputs_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "outputs").touch()
    check = places.check_outputs(made.machine(tmp_path, output=tmp_path / "outputs" / "mine"))
    assert check.status == "problem"
    assert f"{tmp_path / 'outputs'} is not a folder" in check.finding
    assert "--output" in check.hint


def test_a_disk_that_is_nearly_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = shutil.disk_usage(tmp_path)._replace(free=3_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    assert places.check_outputs(made.machine(tmp_path, output=tmp_path)).status == "warning"


def test_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NNCLI_CACHE", str(tmp_path / "cache"))
    kept = tmp_path / "cache" / "features" / "a.array"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(bytes(2_500_000))
    check = places.check_cache(made.machine(tmp_path))
    assert (check.status, check.facts["bytes"]) == ("ok", 2_500_000)
    assert "2.5 MB" in check.finding
    monkeypatch.setenv("NNCLI_CACHE", str(kept / "below"))
    check = places.check_cache(made.machine(tmp_path))
    assert check.status == "warning"
    assert "NNCLI_CACHE" in check.hint


def test_pictures_with_and_without_graphviz(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = places.check_pictures(made.machine(tmp_path))
    assert check.status == "ok"
    assert check.facts["graphviz"]
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    check = places.check_pictures(made.machine(tmp_path))
    assert (check.status, check.facts["graphviz"]) == ("ok", None)
    assert "no Graphviz" in check.finding


@pytest.mark.parametrize(
    ("encoding", "lacks"), [("utf-8", False), ("UTF8", False), ("ascii", True)]
)
def test_text(encoding: str, lacks: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
    check = places.check_text(made.machine(tmp_path))
    assert check.status == "ok"
    assert ("lacks" in check.finding) == lacks == bool(check.hint)


def test_variables_that_change_something_and_no_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    environment = {
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "TF_VAR_password": "hunter2",
        "NVIDIA_API_KEY": "hunter2",
        "HOME": "/home/me",
        "NNCLI_CACHE": "/cache",
    }
    check = places.check_settings(made.machine(tmp_path, environment=environment))
    assert check.finding == "set in the environment: NNCLI_CACHE=/cache, TF_ENABLE_ONEDNN_OPTS=0"
    assert "hunter2" not in str(check)
    nothing = places.check_settings(made.machine(tmp_path))
    assert nothing.finding == "no variable changes what nncli does"


@pytest.mark.parametrize(
    ("text", "environment", "said"),
    [
        ('{"floatx": "float16", "backend": "tensorflow"}', {}, "Keras is asked for floatx float16"),
        ('{"backend": "jax"}', {}, "backend jax"),
        ('{"backend": "tensorflow"}', {"KERAS_BACKEND": "torch"}, "backend torch"),
        ('{"backend": "jax"}', {"KERAS_BACKEND": "tensorflow"}, ""),
        ("no json", {}, ""),
        ("[1]", {}, ""),
    ],
)
def test_keras_settings_that_nncli_does_not_follow(
    text: str,
    environment: dict[str, str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "keras.json").write_text(text, encoding="utf-8")
    check = places.check_settings(made.machine(tmp_path, environment=environment))
    assert said in check.finding
    assert ("does not follow" in check.finding) == bool(said)
