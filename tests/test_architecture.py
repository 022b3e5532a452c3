"""Who may import whom, held against the code's own imports; and what stays unloaded."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "nncli"

# A room may import itself, what stands here, and any third party but those it must not know.
MAY_IMPORT = {
    "errors": set(),
    "numbers": {"errors"},
    "process": {"errors"},
    "files": {"errors", "process"},
    "profile": set(),
    "drawing": {"backend", "page", "plots", "process", "results", "runs", "specimen"},
    "specimen": {"results"},
    "activations": {"errors"},
    "backend": {"errors", "status"},
    "neuron": {"activations", "errors"},
    "lazy": set(),
    "status": set(),
    "results": {"lazy"},
    "documents": {"config", "results"},
    "listener": {"results"},
    "config": {"errors"},
    "data": {"config", "errors", "files", "backend", "results", "lazy", "status"},
    "models": {"config", "data", "backend", "errors", "results", "lazy"},
    "requirements": {"errors"},
    "verification": {"runs", "errors", "results", "differences"},
    "schema": {"config", "data", "models", "results", "errors"},
    "differences": set(),
    "doctor": {
        *("backend", "config", "data", "errors", "files", "models", "plots", "process"),
        *("results", "runs", "schema", "status", "training"),
    },
    "runs": {"results", "errors", "files", "lazy"},
    "listing": {"runs", "results", "differences", "errors"},
    "diagnosis": {"results"},
    "page": {"results", "plots", "diagnosis", "differences", "errors", "files"},
    "training": {
        *("models", "data", "config", "results", "listener"),
        *("backend", "errors", "process", "profile", "lazy", "files", "differences"),
    },
    "trained": {
        *("models", "data", "config", "schema", "results", "runs", "training"),
        *("backend", "differences", "errors", "files", "lazy", "process", "status"),
    },
    "plots": {"results", "activations", "neuron", "differences", "errors", "files"},
    "report": {
        *("requirements",),
        *("results", "activations", "neuron", "listener", "differences"),
        *("files", "errors", "profile", "documents", "process"),
    },
}
ONLY = {"lazy": {"__future__", "typing", "numpy"}}
"""Rooms whose third parties and standard modules are told one by one."""
MUST_NOT_KNOW = {
    "config": {"keras", "tensorflow", "matplotlib", "rich", "typer"},
    "data": {"tensorflow", "matplotlib", "rich", "typer"},
    "models": {"matplotlib", "rich", "typer"},
    "training": {"matplotlib", "rich", "typer"},
    "trained": {"matplotlib", "rich", "typer"},
    "runs": {"keras", "tensorflow", "matplotlib", "rich", "typer"},
    "doctor": {"keras", "tensorflow", "matplotlib", "rich", "typer"},
    "listing": {"numpy", "keras", "tensorflow", "matplotlib", "rich", "typer"},
    "plots": {"keras", "tensorflow", "rich", "typer"},
    "report": {"keras", "tensorflow", "matplotlib", "typer"},
    "activations": {"scipy", "keras", "tensorflow", "matplotlib"},
    "neuron": {"scipy", "keras", "tensorflow", "matplotlib"},
}
EDGE = {"cli", "commands", "options", "words", "completion", "__main__", "__init__"}


def rooms() -> list[str]:
    return sorted({path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in files()})


def files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports(path: Path) -> set[str]:
    """Every module that a file imports, anywhere in it; `nncli.x` by its full name."""
    found: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            assert node.module is not None
            if node.module == "nncli":
                found |= {f"nncli.{alias.name}" for alias in node.names}
            else:
                found.add(node.module)
    return found


def test_every_room_is_in_the_table() -> None:
    assert set(rooms()) == set(MAY_IMPORT) | EDGE


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_keep_to_the_table(path: Path) -> None:
    room = room_of(path)
    if room in EDGE:
        return
    for module in imports(path):
        top, _, rest = module.partition(".")
        if module == "nncli":
            continue  # for its __version__
        if top == "nncli":
            other = rest.partition(".")[0]
            assert other == room or other in MAY_IMPORT[room], f"{room} imports {module}"
        else:
            assert top not in MUST_NOT_KNOW.get(room, set()), f"{room} imports {module}"
            assert top in ONLY.get(room, {top}), f"{room} imports {module}"


def test_keras_and_tensorflow_have_one_door() -> None:
    for path in files():
        if room_of(path) != "backend":
            known = {module.partition(".")[0] for module in imports(path)}
            assert not known & {"keras", "tensorflow"}, path


def test_commands_do_not_import_each_other() -> None:
    """One that has several files has a folder for them."""
    commands = PACKAGE / "commands"
    for path in commands.rglob("*.py"):
        own = "nncli.commands.train." if path.parent.name == "train" else "-"
        others = {each for each in imports(path) if each.startswith("nncli.commands")}
        assert not {each for each in others if not each.startswith(own)}, path


def test_only_the_edge_prints_or_exits() -> None:
    for path in files():
        if room_of(path) in {"report", *EDGE}:
            continue
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"print", "exit", "quit", "input"}, path


def loaded(code: str) -> set[str]:
    """The top-level modules that are loaded after running `code` in a fresh Python."""
    end = "\nimport sys; print('LOADED', *{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", code + end], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.rpartition("LOADED")[2].split())


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["train", "--help"],
        ["neuron"],
        ["plot-activation", "--list"],
        ["train", "cnn", "--epochs", "-5"],
        ["train", "cnn", "--set", "model.filtres=[1]"],
        ["train", "cnn", "--config", "mnst"],
        ["train", "rnn", "--set", "data.source=csv", "--set", "data.path=/no/such.csv"],
        ["data", "check", "/no/such.csv"],
    ],
    ids=" ".join,
)
def test_what_needs_no_framework_loads_none(arguments: list[str]) -> None:
    modules = loaded(f"from nncli.cli import main; main({arguments!r})")
    assert not modules & {"tensorflow", "keras", "matplotlib", "sklearn", "scipy"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["train", "--help"],
        ["train", "cnn", "--epochs", "-5"],
        ["train", "cnn", "--set", "model.filtres=[1]"],
        ["train", "cnn", "--set", "model.filters=[8,8,8,8]"],
        ["train", "cnn", "--config", "mnst"],
        ["config", "list"],
        ["config", "show", "transfer"],
        ["schema"],
        ["data", "list"],
        ["runs", "list"],
        ["runs", "show", "no-run"],
        ["predict", "no-run", "a.png"],
        ["data", "check", "digit"],
        ["data", "check", "digits", "--set", "data.sise=20"],
    ],
    ids=" ".join,
)
def test_what_needs_no_numbers_loads_no_numpy(arguments: list[str]) -> None:
    modules = loaded(f"from nncli.cli import main; main({arguments!r})")
    assert not modules & {"numpy", "tensorflow", "keras", "matplotlib", "sklearn", "scipy"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["train", "--help"],
        ["neuron"],
        ["neuron", "--inputs", "1,2", "--weights", "3,4", "--theme", "dark", "--json"],
        ["plot-activation", "--list"],
        ["plot-activation", "relu", "--range", "-3", "3", "--points", "x", "--theme", "light"],
        ["plot-activation", "relu", "--points", "50", "-o", "no.gif"],
        ["plot", "no-run"],
        ["report", "no-run", "-o", "no.html"],
        ["doctor", "--no-such"],
        ["completion", "bash"],
        ["runs", "list", "--status", "cut-off", "--sort", "metric", "--limit", "3"],
        ["runs", "list", "--limit", "x"],
        ["runs", "diff", "no-run", "latest"],
        ["predict", "no-run", "-", "--format", "csv", "--top", "3"],
        ["runs", "delete", "no-run", "--yes"],
    ],
    ids=" ".join,
)
def test_what_needs_no_config_loads_no_pydantic(arguments: list[str]) -> None:
    modules = loaded(f"from nncli.cli import main; main({arguments!r})")
    # what is wrong with a word is left to Typer to say, and Typer asks pydantic
    assert ("pydantic" in modules) == ("x" in arguments)


@pytest.mark.parametrize(
    "line",
    [
        *("nncli tr", "nncli train ", "nncli train -c ", "nncli data check ", "nncli runs show "),
        *("nncli train cnn --set model.", "nncli train -c cnn-mnist --set data.source="),
        *("nncli export --format ", "nncli config show "),
    ],
)
def test_completion_loads_nothing_heavy(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_NNCLI_COMPLETE", "1")
    monkeypatch.setenv("_NNCLI_LINE", line)
    modules = loaded("from nncli.cli import main\ntry:\n    main([])\nexcept SystemExit:\n    pass")
    heavy = {"numpy", "tensorflow", "keras", "matplotlib", "sklearn", "rich", "pydantic", "yaml"}
    assert not modules & heavy


def test_looking_at_runs_loads_no_numpy(tmp_path: Path) -> None:
    folder = tmp_path / "cnn" / "one"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text('{"status": "finished"}', encoding="utf-8")
    metrics = '{"kind": "cnn", "task": "classification", "test": {"accuracy": 0.5}}'
    (folder / "metrics.json").write_text(metrics, encoding="utf-8")
    (folder / "config.yaml").write_text("kind: cnn", encoding="utf-8")
    commands = (["list"], ["show", "one"], ["diff", "one", "one"], ["delete", "one", "--yes"])
    lines = [
        f"assert main({['runs', *command, '--output', str(tmp_path)]!r}) == 0"
        for command in commands
    ]
    modules = loaded("\n".join(["from nncli.cli import main", *lines]))
    assert not modules & {"numpy", "tensorflow", "keras", "matplotlib", "pydantic"}
    assert not folder.exists()


def test_drawing_an_activation_loads_no_tensorflow(tmp_path: Path) -> None:
    target = str(tmp_path / "relu.png")
    modules = loaded(
        f"from nncli.cli import main; main(['plot-activation', 'relu', '-o', {target!r}])\n"
        "import sys; assert not {'nncli.plots.stored', 'nncli.results'} & set(sys.modules)"
    )
    assert "matplotlib" in modules
    assert not modules & {"tensorflow", "keras", "sklearn", "scipy", "pydantic"}
    assert (tmp_path / "relu.png").stat().st_size > 1000


def test_checking_data_loads_no_tensorflow(tmp_path: Path) -> None:
    modules = loaded(
        f"from nncli.cli import main; main(['data', 'check', 'digits', '-o', {str(tmp_path)!r}])"
    )
    assert {"matplotlib", "sklearn"} <= modules
    assert not modules & {"tensorflow", "keras"}
    assert (tmp_path / "data-digits.png").stat().st_size > 1000


def test_drawing_never_uses_pyplot() -> None:
    for path in files():
        assert "matplotlib.pyplot" not in imports(path)
