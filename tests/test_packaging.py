"""The wheel works without the checkout: its configs travel in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from nncli.config import shipped_configs

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the checkout without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
    subprocess.run(
        [*command, "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)],
        check=True,
        timeout=120,
    )
    (built,) = folder.glob("nncli-*.whl")
    return built


def test_it_holds_the_package_and_every_config(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"nncli/_configs/{name}.yaml" for name in shipped_configs()} <= names
    assert {"nncli/cli.py", "nncli/py.typed", "nncli/completion/words.json"} <= names
    templates = {"report.html", "report.css"}
    assert {f"nncli/page/templates/{name}" for name in templates} <= names
    assert not [name for name in names if name.startswith(("tests/", "configs/", "docs/"))]


def test_it_runs_outside_the_checkout(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )

    place = run("-c", "import nncli; print(nncli.__file__)").stdout.strip()
    assert Path(place).is_relative_to(tmp_path)
    assert "0.7310585786300049" in run("-m", "nncli", "neuron").stdout
    published = (ROOT / "docs" / "nncli.schema.json").read_text(encoding="utf-8")
    assert json.loads(run("-m", "nncli", "schema").stdout) == json.loads(published)
    refused = run("-m", "nncli", "train", "cnn", "--config", "cnn-mnist", "--set", "model.x=1")
    assert refused.returncode == 2
    assert "model.x: unknown key" in refused.stderr, "the config was found by its name"
