"""TAB: what nncli answers, and what bash, zsh and fish make of it on a real terminal."""

from __future__ import annotations

import io
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from nncli import completion
from nncli.activations import ACTIVATIONS
from nncli.cli import app, main
from nncli.completion import vocabulary as vocabulary_module
from nncli.completion.protocol import LINE, words_of
from nncli.completion.vocabulary import collected, vocabulary
from nncli.config import keys, shipped_configs
from nncli.data import SOURCES
from nncli.models import KINDS
from nncli.schema import SCHEMAS

REPOSITORY = Path(__file__).parent.parent


@cache
def ask(line: str | None) -> dict[str, str]:
    """Each word that nncli answers to a line, with its meaning."""
    output, errors = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(output), redirect_stderr(errors):
        patch.setenv(completion.ASKED, "1")
        patch.delenv(LINE, raising=False)
        if line is not None:
            patch.setenv(LINE, line)
        with pytest.raises(SystemExit) as ended:
            main([])
    assert (ended.value.code, errors.getvalue()) == (0, ""), line
    rows = [answer.partition("\t") for answer in output.getvalue().splitlines() if answer]
    return {word: meaning for word, _, meaning in rows}


COMMANDS = (
    "plot-activation neuron train evaluate predict plot report verify export doctor schema "
    "completion runs config data"
)
LEVELS = "kind= seed= data. model. training."


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (None, COMMANDS),
        ("", COMMANDS),
        ("nncli ", COMMANDS),
        ("nncli --verbose ", COMMANDS),
        ("nncli --version ", COMMANDS),
        ("nncli tr", "train"),
        ("nncli --", "--version --help"),
        ("nncli nonsense ", ""),
        ("nncli nonsense -", ""),
        ("nncli config ", "list show copy validate schema"),
        ("nncli config nonsense ", ""),
        ("nncli data ", "check list"),
        ("nncli runs ", "list show diff delete"),
        ("nncli runs list --sort ", "started metric epochs time name"),
        ("nncli runs list --status cut", "cut-off"),
        ("nncli runs list --kind l", "lstm"),
        ("nncli predict latest --format ", "table csv jsonl"),
        ("nncli predict latest --theme d", "dark"),
        ("nncli predict latest ./photos", ""),
        ("nncli data check wa", "waves"),
        ("nncli data check ./photos", ""),
        ("nncli data check digits --kind l", "lstm"),
        ("nncli data check --config cnn-m", "cnn-mnist"),
        ("nncli data check digits --kind transfer --set pre", "pretraining."),
        ("nncli data check digits --kind cnn --set pre", ""),
        ("nncli completion ", "bash zsh fish"),
        (
            "nncli schema ",
            "plot-activation neuron train evaluate predict plot report verify export doctor runs "
            "config data",
        ),
        ("nncli schema runs ", "list show diff delete"),
        ("nncli schema runs list ", ""),
        ("VARIABLE=1 nncli train c", "cnn"),
        ("nncli train 'c", "cnn"),
        ("nncli train --json c", "cnn"),
        ("nncli train cnn --dry", "--dry-run"),
        ("nncli train cnn --est", "--estimate"),
        ("nncli train cnn --tens", "--tensorboard"),
        ("nncli train cnn --config ./my", ""),
        ("nncli train cnn --config cnn-m", "cnn-mnist"),
        ("nncli train cnn --config=cnn-m", "--config=cnn-mnist"),
        ("nncli train cnn --output ", ""),
        ("nncli config copy cnn ", ""),
        ("nncli config copy cnn-m", "cnn-mnist"),
        ("nncli config show cnn-m", "cnn-mnist"),
        ("nncli config validate my.yaml cnn-m", "cnn-mnist"),
        ("nncli export --format ", "keras saved-model onnx tflite code"),
        ("nncli export latest -f on", "onnx"),
        ("nncli neuron --theme ", "light dark"),
        ("nncli neuron --theme=d", "--theme=dark"),
        ("nncli neuron --activation gel", "gelu"),
        ("nncli plot-activation relu gel", "gelu"),
        ("nncli plot-activation --range -1 1 gel", "gelu"),
        ("nncli plot-activation --range 1 ", ""),
        ("nncli train cnn --set ", LEVELS),
        ("nncli train --set ", f"{LEVELS} pretraining."),
        ("nncli train transfer --set ", f"{LEVELS} pretraining."),
        ("nncli train nonsense --set tra", "training."),
        ("nncli train cnn --set tra", "training."),
        ("nncli train cnn --set=tra", "--set=training."),
        ("nncli train cnn --set 'tra", "training."),
        ("nncli train cnn --name 'a b' --set tra", "training."),
        ("nncli train cnn --name a\\ b --set tra", "training."),
        ("nncli train cnn --set training.e", "training.epochs= training.early_stopping."),
        ("nncli train cnn --set training.epochs=", ""),
        ("nncli train cnn --set training.epochs=3 --jso", "--json"),
        ("nncli train cnn --set seed=1 --set tra", "training."),
        ("nncli train cnn --set data.source=mn", "data.source=mnist"),
        ("nncli train cnn --set data.source='mn", "data.source=mnist"),
        ("nncli train cnn --set=data.source=mn", "--set=data.source=mnist"),
        ("nncli train cnn --set training.optimizer=a", "training.optimizer=adam(w)"),
        ("nncli train cnn --set training.shuffle=t", "training.shuffle=true"),
        ("nncli train cnn --set nonsense.", ""),
        ("nncli train cnn --set seed.", ""),
        # the kind, by whatever names it
        ("nncli train cnn --name transfer --set pre", ""),
        ("nncli train --config transfer --set pre", "pretraining."),
        ("nncli train --config cnn --set pre", ""),
        ("nncli config show transfer --set pre", "pretraining."),
        ("nncli config show cnn-mnist --set pre", ""),
        ("nncli config show my.yaml --set pre", "pretraining."),
    ],
)
def test_a_line_is_answered(line: str | None, words: str) -> None:
    wanted = words.replace("adam(w)", "adam training.optimizer=adamw").split()
    assert list(ask(line)) == wanted


def test_every_data_source_is_offered_to_be_checked() -> None:
    wanted = {source.name: source.summary for source in SOURCES.values()}
    assert ask("nncli data check ") == wanted


@pytest.mark.parametrize(
    "place", ["show ", "delete ", "diff ", "diff latest ", "delete one ", "show --output . "]
)
def test_every_run_is_offered(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    root = tmp_path if "--output" in place else tmp_path / "outputs"
    for name in ("one", "two", ".one.77.deleted"):
        (root / "cnn" / name).mkdir(parents=True)
        (root / "cnn" / name / "run.json").touch()
        os.utime(root / "cnn" / name / "run.json", (0, len(name) + (name == "two")))
    ask.cache_clear()
    assert ask(f"nncli runs {place}") == {"two": "cnn", "one": "cnn", "latest": "two"}
    ask.cache_clear()


def test_a_finished_line_goes_on_with_its_options() -> None:
    offered = ask("nncli train cnn --seed 1 --set training.epochs=3 ")
    assert {"--set", "--config", "--help"} <= set(offered)
    assert "--seed" not in offered


@pytest.mark.parametrize("line", ["nncli ", "nncli config ", "nncli train -", "nncli neuron -"])
def test_commands_and_options_say_what_they_mean(line: str) -> None:
    for word, meaning in ask(line).items():
        assert meaning, word
        assert not meaning.endswith("..."), meaning


@pytest.mark.parametrize(
    "place", ["train ", "train --json ", "config schema ", "config validate --kind "]
)
def test_every_kind_is_offered(place: str) -> None:
    assert ask(f"nncli {place}") == {kind.name: kind.summary for kind in KINDS.values()}


@pytest.mark.parametrize(
    "place", ["train cnn --config ", "train cnn -c ", "config copy ", "config validate "]
)
def test_every_shipped_config_is_offered(place: str) -> None:
    offered = ask(f"nncli {place}")
    assert list(offered) == list(shipped_configs())
    assert all(offered.values())


def test_every_config_and_kind_can_be_shown() -> None:
    assert set(ask("nncli config show ")) == {*KINDS, *shipped_configs()}


def test_what_is_written_down_is_what_the_code_says() -> None:
    assert vocabulary() == collected(), (
        'python -c "from nncli.completion.vocabulary import write; write()"'
    )


def test_it_is_written_down_as_it_is_in_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vocabulary_module, "WRITTEN", tmp_path / "words.json")
    vocabulary_module.write()
    written = (tmp_path / "words.json").read_bytes()
    assert written == Path(vocabulary_module.__file__).with_name("words.json").read_bytes()


@pytest.mark.parametrize("place", ["plot-activation ", "neuron --activation "])
def test_every_activation_is_offered(place: str) -> None:
    assert ask(f"nncli {place}") == {row.name: row.text for row in ACTIVATIONS.values()}


@pytest.mark.parametrize("kind", KINDS)
def test_every_data_source_of_a_kind_is_offered(kind: str) -> None:
    wanted = {
        f"data.source={source.name}": source.summary
        for source in SOURCES.values()
        if set(source.families) & set(KINDS[kind].families)
    }
    assert ask(f"nncli train {kind} --set data.source=") == wanted


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_is_reached_by_tab_after_tab(kind: str) -> None:
    reached, levels = set(), [""]
    while levels:
        for word, meaning in ask(f"nncli train {kind} --set {levels.pop()}").items():
            assert meaning, word
            reached.add(word[:-1])
            if word.endswith("."):
                levels.append(word)
            else:
                assert word.endswith("=")
    assert reached == {row.path for row in keys(SCHEMAS[kind])}


@pytest.mark.parametrize("kind", KINDS)
def test_every_value_is_offered(kind: str) -> None:
    context = typer.Context(get_command(app), info_name="train")
    context.params["kind"] = kind
    for row in keys(SCHEMAS[kind]):
        offered = [word for word, _ in completion.settings(context, f"{row.path}=")]
        assert offered == [f"{row.path}={value}" for value in row.values]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", [""]),
        (" ", [""]),
        ("nncli", ["nncli"]),
        ("nncli a", ["nncli", "a"]),
        ("nncli a ", ["nncli", "a", ""]),
        ("nncli 'a b", ["nncli", "a b"]),
        ("nncli 'a b'", ["nncli", "a b"]),
        ("nncli 'a b' ", ["nncli", "a b", ""]),
        ("nncli \"a 'b", ["nncli", "a 'b"]),
        ("nncli a\\ b", ["nncli", "a b"]),
        ("nncli a#b '' é", ["nncli", "a#b", "", "é"]),
        ("nncli a \\\n  b", ["nncli", "a", "\n", "b"]),
    ],
)
def test_a_line_is_read_as_a_shell_reads_it(line: str, words: list[str]) -> None:
    assert words_of(line) == words


def test_an_answer_loads_nothing_heavy() -> None:
    # but for activations, whose table is NumPy
    lines = ["nncli ", "nncli train ", "nncli train --set ", "nncli config show ", "nncli neuron -"]
    lines += ["nncli train cnn --set data.source=", "nncli completion ", "nncli runs show "]
    lines += ["nncli export --format "]
    script = (
        "import os, sys\n"
        "from nncli.cli import main\n"
        "for line in sys.argv[1:]:\n"
        "    os.environ['_NNCLI_LINE'] = line\n"
        "    try: main([])\n"
        "    except SystemExit: pass\n"
        "sys.stderr.write(' '.join({name.partition('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *lines],
        capture_output=True,
        text=True,
        env={**os.environ, completion.ASKED: "1"},
        check=True,
    )
    assert "training." in done.stdout
    loaded = set(done.stderr.split())
    assert not loaded & {"tensorflow", "keras", "matplotlib", "numpy", "sklearn", "PIL", "rich"}


SHELLS = {
    "bash": ("bash", "--norc", "--noprofile", "-i"),
    "zsh": ("zsh", "-f", "-i"),
    "fish": ("fish", "--no-config", "-i"),
}
# C-x C-p writes down the line as it stands; then the strictest shell that anybody uses
SETUP = {
    "bash": r"""
        bind 'set show-all-if-ambiguous on'
        bind 'set enable-bracketed-paste off'
        bind -x '"\C-x\C-p": printf "%s\n]" "$READLINE_LINE" > ~/.line'
        source <(nncli completion bash)
        set -euo pipefail
        """,
    "zsh": r"""
        write_line() { print -rn -- "$BUFFER"$'\n]' > ~/.line }
        zle -N write_line; bindkey '^X^P' write_line
        autoload -Uz compinit; compinit -u -D
        source <(nncli completion zsh)
        set -eu
        """,
    "fish": r"""
        set -g fish_greeting; set -g fish_autosuggestion_enabled 0
        bind \cx\cp 'printf "%s\n]" (commandline | string collect) > ~/.line'
        nncli completion fish | source
        """,
}
# starts the real one, unless there is a record of what it answers, which takes no time
NNCLI = f"""#!/bin/sh
if [ -n "$_NNCLI_COMPLETE" ]; then
    echo Noise >&2
    printf %s "$_NNCLI_LINE" > ~/.asked
    if [ -e ~/.answers ]; then exec cat ~/.answers; fi
    if [ -e ~/.broken ]; then echo Traceback >&2; exit 1; fi
fi
PYTHONPATH='{REPOSITORY}' exec '{sys.executable}' -m nncli "$@"
"""
LEFT, EMPTY_LINE, WRITE_LINE = "\x02", "\x05\x15", "\x18\x10"


class Terminal:
    """A shell, and somebody who types."""

    def __init__(self, shell: str, home: Path, setup: str = "") -> None:
        self.shell = shell
        self.home = home
        self.screen = ""
        programs = home / "programs"
        programs.mkdir()
        (programs / "nncli").write_text(NNCLI)
        (programs / "nncli").chmod(0o755)
        for name in ("my.yaml", "a b.yaml", "é.yaml"):
            (home / name).touch()
        (home / "setup").write_text(f"{SETUP[shell]}\n{setup}\ntouch ~/ready\n")
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            os.chdir(home)
            path = f"{programs}:{os.environ['PATH']}"
            environment = {"PATH": path, "HOME": str(home), "TERM": "xterm", "LANG": "C.UTF-8"}
            os.execvpe(SHELLS[shell][0], SHELLS[shell], environment)
        termios.tcsetwinsize(self.terminal, (50, 200))
        self.type("source ~/setup\r")
        self.wait(lambda: (home / "ready").exists())

    def type(self, text: str) -> None:
        os.write(self.terminal, text.encode())

    def wait(self, until: Callable[[], bool]) -> None:
        """Read the screen until something holds."""
        end = time.monotonic() + 30
        while not until():
            assert time.monotonic() < end, self.screen
            if select.select([self.terminal], [], [], 0.02)[0]:
                text = os.read(self.terminal, 65536).decode(errors="replace")
                if re.search(r"\x1b\[0?c", text):
                    self.type("\x1b[?6c")  # fish asks what terminal this is
                self.screen += re.sub(r"\x1b(\[[0-9;?<>=]*[a-zA-Z]|[()][AB0])", "", text)

    def tab(self, typed: str, behind: str = "", *, answers: dict[str, str] | None = None) -> str:
        """The line after something is typed and TAB is pressed in front of the rest.

        `answers` is what nncli would answer by itself, but later.
        """
        recorded, written = self.home / ".answers", self.home / ".line"
        recorded.unlink(missing_ok=True)
        written.unlink(missing_ok=True)
        if answers is not None:
            lines = "\n".join(f"{word}\t{meaning}" for word, meaning in answers.items())
            recorded.write_text(f"{lines}\n")
        self.screen = ""
        self.type(f"{EMPTY_LINE}{typed}{behind}{LEFT * len(behind)}\t{WRITE_LINE}")
        self.wait(lambda: written.exists() and written.read_text().endswith("\n]"))
        assert "Noise" not in self.screen
        return written.read_text().removesuffix("\n]")

    def shows(self, text: str) -> None:
        self.wait(lambda: text in self.screen)

    def asked(self) -> str:
        """The line that nncli was asked about."""
        return (self.home / ".asked").read_text().strip()

    def close(self) -> None:
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        os.close(self.terminal)


def opened(shell: str, home: Path, setup: str = "") -> Iterator[Terminal]:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    terminal = Terminal(shell, home, setup)
    yield terminal
    terminal.close()


@pytest.fixture(scope="module", params=SHELLS)
def terminal(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Terminal]:
    yield from opened(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module", params=["${COMP_WORDBREAKS//=}", "$COMP_WORDBREAKS.-"])
def other_bash(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Terminal]:
    """A bash that takes a line apart elsewhere."""
    home = tmp_path_factory.mktemp("bash")
    yield from opened("bash", home, f'COMP_WORDBREAKS="{request.param}"')


COMPLETED = [
    ("nncli tr", "nncli train "),
    ("nncli train cnn --set tra", "nncli train cnn --set training."),
    ("nncli train cnn --set training.ep", "nncli train cnn --set training.epochs="),
    ("nncli train cnn --set data.source=mn", "nncli train cnn --set data.source=mnist "),
    ("nncli train cnn --set=data.source=mn", "nncli train cnn --set=data.source=mnist "),
    ("nncli train cnn --set=tra", "nncli train cnn --set=training."),
    ("nncli train cnn --set 'data.source=mn", "nncli train cnn --set 'data.source=mnist' "),
    ('nncli train cnn --set "data.source=mn', 'nncli train cnn --set "data.source=mnist" '),
    ("nncli train cnn --config=cnn-m", "nncli train cnn --config=cnn-mnist "),
    ("nncli train cnn -c a\\ b.yaml --set se", "nncli train cnn -c a\\ b.yaml --set seed="),
    ("nncli train cnn -c 'a b.yaml' --set se", "nncli train cnn -c 'a b.yaml' --set seed="),
    ("nncli train cnn -c é.yaml --set se", "nncli train cnn -c é.yaml --set seed="),
    ("cd . && nncli train cn", "cd . && nncli train cnn "),
]
FILES = [
    ("nncli nonsense my", "nncli nonsense my.yaml "),
    ("nncli train cnn --config ./my", "nncli train cnn --config ./my.yaml "),
    ("nncli train cnn --config=./my", "nncli train cnn --config=./my.yaml "),
    ("nncli train cnn --config ~/my", "nncli train cnn --config ~/my.yaml "),
    ("nncli train cnn --config a", "nncli train cnn --config a\\ b.yaml "),
    ("nncli train cnn --config 'a", "nncli train cnn --config 'a b.yaml' "),
    ("nncli train cnn --set data.path=./my", "nncli train cnn --set data.path=./my.yaml "),
]


@pytest.mark.parametrize(("typed", "line"), COMPLETED + FILES)
def test_a_real_shell_completes_the_line(terminal: Terminal, typed: str, line: str) -> None:
    command = typed.removeprefix("cd . && ")
    assert terminal.tab(typed, answers=ask(command)) == line
    assert terminal.asked() == command


def test_a_real_shell_asks_nncli_itself(terminal: Terminal) -> None:
    assert terminal.tab("nncli train cnn --set tra") == "nncli train cnn --set training."


def test_a_real_shell_completes_in_the_middle_of_a_line(terminal: Terminal) -> None:
    typed = "nncli train cnn --set tra"
    line = terminal.tab(typed, " --json", answers=ask(typed))
    assert line == "nncli train cnn --set training. --json"
    assert terminal.asked() == typed


def test_a_real_shell_shows_what_there_is(terminal: Terminal) -> None:
    typed = "nncli train cnn --set training.e"
    assert terminal.tab(typed, answers=ask(typed)) == typed
    terminal.shows("epochs=")
    terminal.shows("early_stopping.")


def test_a_real_shell_takes_any_meaning(terminal: Terminal) -> None:
    answers = {"one": "a: b's [c] $d `e` \\f", "once": '"g": %s\\n'}
    assert terminal.tab("nncli on", answers=answers) == "nncli on"
    for word, meaning in answers.items():
        terminal.shows(word)
        if terminal.shell != "bash":
            terminal.shows(meaning)


def test_a_broken_nncli_is_not_seen_on_the_prompt(terminal: Terminal) -> None:
    (terminal.home / ".broken").touch()
    assert terminal.tab("nncli tr") == "nncli tr"
    assert terminal.tab("nncli train my") == "nncli train my.yaml "
    assert "Traceback" not in terminal.screen
    (terminal.home / ".broken").unlink()


@pytest.mark.parametrize(("typed", "line"), COMPLETED)
def test_bash_may_end_words_elsewhere(other_bash: Terminal, typed: str, line: str) -> None:
    assert other_bash.tab(typed, answers=ask(typed.removeprefix("cd . && "))) == line
