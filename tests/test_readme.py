"""The README and its pages are true: their commands run, their pictures and files are there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from nncli.cli import main
from tests.made import run_folder
from tests.plots.runs import digits_history, with_history

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
BLOCKS = re.findall(r"```sh\n(.*?)```", TEXT, flags=re.DOTALL)
COMMANDS = list(
    dict.fromkeys(
        [line for block in BLOCKS for line in block.splitlines() if line.startswith("nncli ")]
        + re.findall(r"^\| `(nncli [^`]*)`", TEXT, flags=re.MULTILINE)
    )
)
OWN_DATA = re.compile(
    r"data\.path=|--data |data check (?!digits)|fashion-mnist|cifar10|^nncli train .*photos"
)
"""Commands on data that is not in the repository, or is downloaded."""
NAMED = re.compile(r"(?:data\.path=|--data |data check (?!digits))(\S+)")


def test_there_are_commands() -> None:
    assert len(COMMANDS) > 15


@pytest.mark.parametrize("command", [c for c in COMMANDS if not OWN_DATA.search(c)])
def test_a_command_runs(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As it stands, but a training only up to its model: other tests train."""
    monkeypatch.chdir(tmp_path)
    if re.search(r"latest|-00\d", command):
        history = {name: values[:2] for name, values in digits_history().items()}
        for name in ("cnn-digits-001", "cnn-digits-002"):
            run_folder(with_history(history, name=name), tmp_path / "outputs")
    arguments = shlex.split(command)[1:]
    others = {"--dry-run", "--resume", "--estimate"}
    training = arguments[0] == "train" and not others & set(arguments)
    # they would train, or find that these runs were made up
    if "--estimate" in arguments or arguments[0] in {
        "verify",
        "evaluate",
        "predict",
        "export",
        "doctor",
    }:
        arguments.append("--help")
    assert main([*arguments, "--dry-run"] if training else arguments) == 0
    assert capsys.readouterr().out


@pytest.mark.parametrize("command", [c for c in COMMANDS if NAMED.search(c)])
def test_a_command_on_own_data_only_misses_the_data(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = shlex.split(command.replace("FILE", "mine.weights.h5"))[1:]
    path = NAMED.search(command)
    assert path is not None
    # a path that a config is to read is looked for there; one alone is not known for what it is
    assert main(arguments) in {2, 3}
    assert path[1] in capsys.readouterr().err


def test_the_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+)", "\n".join(BLOCKS), flags=re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE)


def test_the_readme_is_short() -> None:
    assert len(PAGES[0].read_text(encoding="utf-8").splitlines()) < 120


def test_the_pictures_are_there() -> None:
    shown = set()
    for page in PAGES:
        for picture in re.findall(r"!\[[^]]+\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
            shown.add((page.parent / picture).resolve())
    assert shown == set((ROOT / "docs" / "pictures").iterdir())
    for picture in shown:
        assert picture.read_bytes().startswith(b"\x89PNG")


def test_each_page_is_there_and_linked() -> None:
    linked = set()
    for page in PAGES:
        for link in re.findall(r"[^!]\[[^]]+\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).is_file(), f"{page.name}: {link}"
            linked.add((page.parent / link).resolve())
    assert linked >= set(PAGES)


def test_the_file_map_is_the_tree() -> None:
    text = (ROOT / "docs" / "development.md").read_text(encoding="utf-8")
    block = text[text.index("## File map") :].split("```")[1]
    listed = {line.split()[0].rstrip("/") for line in block.splitlines() if line.startswith("  ")}
    found = {
        path.name
        for path in (ROOT / "nncli").iterdir()
        if not path.name.startswith("_") and path.name != "py.typed"
    }
    assert listed == found


def test_the_error_shown_is_the_error_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my.yaml").write_text(
        "kind: cnn\ntraining:\n  epochs: -5\n  leraning_rate: 0.01\n", encoding="utf-8"
    )
    assert main(["train", "cnn", "--config", "my.yaml", "--set", "model.kernel_size=31"]) == 2
    (shown,) = re.findall(r"```\n(error:.*?)```", TEXT, flags=re.DOTALL)
    given = capsys.readouterr().err
    for line in shown.splitlines():
        assert line.rstrip() in [known.rstrip() for known in given.splitlines()], line
