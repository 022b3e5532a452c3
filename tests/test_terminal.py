"""What a person sees: the screen of a real pseudo-terminal while something is trained."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.terminal import COLOR, QUICK, SEQUENCE, Terminal

WIDTHS = (40, 60, 80, 200)
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
BAR = re.compile("[━╸─]{3,}")
LEFT = re.compile(r"\d\d:\d\d left")
SPARK = re.compile("[▁▂▃▄▅▆▇█]{3,}$")
ROW = re.compile(r"^\s*(\d+)/\d+ .*?\d ?(ms|s)( ★)?$")
RNN = [sys.executable, "-m", "nncli", "train", "rnn", "--device", "cpu"]


def is_live(line: str) -> bool:
    return bool(re.match("[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] ", line))


def plain(terminal: Terminal) -> str:
    """All that was written, without what moves the cursor or sets a colour."""
    return SEQUENCE.sub("", terminal.raw.decode())


def in_epoch_4(screen: list[str]) -> bool:
    return any("epoch 4/8" in line and bool(LEFT.search(line)) for line in screen)


def live_lines(terminal: Terminal) -> list[str]:
    """Each drawing of the live line."""
    return [line.rstrip() for line in re.split(r"[\r\n]", plain(terminal)) if is_live(line)]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Terminal]:
    """One quick training on a terminal of each width, all at once, where no other run is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("empty"))
        running = {columns: Terminal(QUICK, columns) for columns in WIDTHS}
    return {columns: terminal.end() for columns, terminal in running.items()}


@pytest.mark.parametrize("columns", WIDTHS)
def test_no_line_is_wider_than_the_terminal(columns: int, trained: dict[int, Terminal]) -> None:
    terminal = trained[columns]
    assert terminal.code == 0, terminal.text
    assert len(terminal.widest) <= columns
    # nothing was cut to fit: whole columns are left out instead
    assert "…" not in terminal.text.replace("+ … +", "")
    for number in ("14,714,688", "2,570", "55.0%", "0.9750", "98.3%"):
        assert number in terminal.text


@pytest.mark.parametrize("columns", WIDTHS)
def test_the_terminal_is_given_back(columns: int, trained: dict[int, Terminal]) -> None:
    terminal = trained[columns]
    assert terminal.is_given_back()
    assert not [line for line in terminal.lines if is_live(line)]
    rows = [int(found[1]) for line in terminal.lines if (found := ROW.match(line))]
    assert rows == list(range(1, 9))


@pytest.mark.parametrize("columns", WIDTHS)
def test_the_live_line_has_a_bar_the_time_left_and_a_sparkline(
    columns: int, trained: dict[int, Terminal]
) -> None:
    frames = [frame for frame in trained[columns].frames if any(map(is_live, frame))]
    assert all(sum(map(is_live, frame)) == 1 for frame in frames)
    assert all(is_live([line for line in frame if line][-1]) for frame in frames)
    lines = [line for line in live_lines(trained[columns]) if "6/8" in line]
    assert lines
    for line in lines:
        assert BAR.search(line), line
        assert LEFT.search(line), line
        assert SPARK.search(line), line


@pytest.mark.parametrize("columns", WIDTHS)
def test_the_bar_never_jumps(columns: int, trained: dict[int, Terminal]) -> None:
    bars = [found for line in live_lines(trained[columns]) if (found := BAR.search(line))]
    assert len({bar.span() for bar in bars}) == 1
    done = [len(bar[0].rstrip("─")) for bar in bars]
    assert done == sorted(done)
    assert len(set(done)) > 3


def test_what_comes_before_the_first_epoch_is_told(trained: dict[int, Terminal]) -> None:
    stages = [line[2:].rstrip() for line in live_lines(trained[80])]
    said = [stage for before, stage in zip(["", *stages], stages, strict=False) if before != stage]
    assert said[:4] == [
        "starting",
        "reading digits",
        "extracting the features of 1,438 images with the frozen base",
        "compiling: the first step takes a few seconds",
    ]
    assert said[-1] == "drawing the pictures"
    narrow = [line[2:].rstrip() for line in live_lines(trained[40])]
    assert "extracting the features of 1,438" in narrow


@pytest.fixture(scope="module")
def odd() -> dict[str, Terminal]:
    """The same on terminals that are not like most."""
    running = {
        "no colour": Terminal(QUICK, NO_COLOR="1"),
        "dumb": Terminal(QUICK, 60, TERM="dumb"),
        "ascii": Terminal(QUICK, 60, **ASCII),
        "phases": Terminal([*QUICK, "--phases", "2", "--epochs", "4"], 100),
        "many": Terminal([*QUICK, "--epochs", "3000", "--steps", "1", "--pause", "0.0005"]),
    }
    return {name: terminal.end() for name, terminal in running.items()}


def test_no_colour_is_still_live(odd: dict[str, Terminal], trained: dict[int, Terminal]) -> None:
    raw = odd["no colour"].raw.decode()
    assert not COLOR.search(raw)
    assert COLOR.search(trained[80].raw.decode())
    assert any(LEFT.search(line) for line in live_lines(odd["no colour"]))
    assert odd["no colour"].is_given_back()


def test_a_dumb_terminal_gets_plain_lines(odd: dict[str, Terminal]) -> None:
    terminal = odd["dumb"]
    assert b"\x1b" not in terminal.raw
    assert b"\r" not in terminal.raw.replace(b"\r\n", b"")
    assert "epoch 8/8  loss 0.3125" in terminal.text
    assert "extracting the features of 1,438 images" in terminal.text
    assert "reading digits" not in terminal.text  # a log stays short


def test_a_terminal_without_unicode_gets_ascii(odd: dict[str, Terminal]) -> None:
    terminal = odd["ascii"]
    assert terminal.code == 0, terminal.text
    text = terminal.raw.decode("ascii")
    assert "?" not in SEQUENCE.sub("", text)
    assert len(terminal.widest) <= 60
    drawn = r"\r[|/\\-] epoch 6/8 #+-+ \d\d:\d\d left  val loss #[_.:=+*#-]+ *\r"
    assert re.search(drawn, plain(terminal))
    assert "-> outputs/cnn/cnn-digits-001" in terminal.text
    assert terminal.is_given_back()


def test_phases_are_counted(odd: dict[str, Terminal]) -> None:
    terminal = odd["phases"]
    assert "phase 1 of 2: training the head, the base is frozen" in terminal.lines
    assert "phase 2 of 2: fine-tuning the last layers of the base" in terminal.lines
    for phase in ("1/2", "2/2"):
        assert any(f"phase {phase} · epoch 3/4" in line for line in live_lines(terminal))


def test_thousands_of_epochs_do_not_flood_the_terminal(odd: dict[str, Terminal]) -> None:
    terminal = odd["many"]
    rows = [int(found[1]) for line in terminal.lines if (found := ROW.match(line))]
    assert rows == [1, *range(200, 3001, 200)]
    assert "a row for every 200th epoch, all of them in history.csv" in terminal.lines
    assert len(terminal.raw) < 40_000
    assert any(LEFT.search(line) for line in live_lines(terminal))


def test_a_window_that_is_resized_keeps_no_garbage(tmp_path: Path) -> None:
    terminal = Terminal([*QUICK, "--wait", str(tmp_path / "go")], 100)
    terminal.wait_for(in_epoch_4)
    for columns in (50, 70, 40):
        terminal.resize(columns)
        seen = len(terminal.raw)
        terminal.wait_for(lambda _, seen=seen: len(terminal.raw) > seen + 100)  # type: ignore[misc]
        screen = terminal.wait_for(in_epoch_4)
        assert max(map(len, screen)) <= columns
        assert sum(map(is_live, screen)) == 1
    (tmp_path / "go").touch()
    terminal.end()
    assert not any(map(is_live, terminal.lines))
    assert not LEFT.search(terminal.text)
    rows = re.findall(r"^ +(\d)/8 .*\d", terminal.text, re.MULTILINE)
    assert rows == list("12345678")
    assert terminal.is_given_back()


def test_json_leaves_standard_output_to_the_document(tmp_path: Path) -> None:
    command = f"{shlex.join(QUICK)} --json --epochs 4 > {shlex.quote(str(tmp_path / 'out'))}"
    terminal = Terminal(["/bin/sh", "-c", command]).end()
    document = json.loads((tmp_path / "out").read_text())
    assert document["advice"][0]["code"] == "overfitting"
    assert any(LEFT.search(line) for line in live_lines(terminal))
    assert terminal.is_given_back()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_a_clean_line(number: int, code: int, tmp_path: Path) -> None:
    terminal = Terminal([*QUICK, "--wait", str(tmp_path / "never")])
    terminal.wait_for(in_epoch_4)
    if number == signal.SIGINT:
        terminal.press(b"\x03")
    else:
        os.kill(terminal.pid, number)
    terminal.end()
    assert terminal.code == code
    assert terminal.is_given_back()
    assert not any(map(is_live, terminal.lines))
    assert "interrupted" in terminal.text


def test_a_second_signal_ends_at_once_and_the_cursor_is_back() -> None:
    terminal = Terminal([*QUICK, "--hold"])
    terminal.wait_for(lambda screen: any("holding" in line for line in screen))
    terminal.press(b"\x03")
    terminal.wait_for(lambda screen: not any("holding" in line for line in screen))
    began = time.monotonic()
    terminal.press(b"\x03")
    terminal.end()
    assert time.monotonic() - began < 5
    assert terminal.code == -2
    assert not terminal.screen.cursor.hidden


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash, for its job control")
def test_ctrl_z_gives_the_terminal_back_until_it_goes_on(tmp_path: Path) -> None:
    terminal = Terminal(["bash", "--norc", "--noprofile", "-i"], PS1="ready> ")
    terminal.wait_for(lambda screen: any("ready>" in line for line in screen))
    terminal.press(f"clear; {shlex.join(QUICK)} --wait {tmp_path / 'go'}\n".encode())
    terminal.wait_for(in_epoch_4)
    terminal.press(b"\x1a")
    stopped = terminal.wait_for(lambda screen: any("Stopped" in line for line in screen))
    assert not any(map(is_live, stopped))
    assert not terminal.screen.cursor.hidden
    terminal.press(b"fg\n")
    terminal.wait_for(in_epoch_4)
    (tmp_path / "go").touch()
    terminal.wait_for(lambda screen: any("curves.png" in line for line in screen))
    terminal.press(b"exit\n")
    terminal.end()
    assert not any(map(is_live, terminal.lines))
    assert not terminal.screen.cursor.hidden


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash, for its job control")
def test_a_job_in_the_background_does_not_draw_over_the_prompt() -> None:
    terminal = Terminal(["bash", "--norc", "--noprofile", "-i"], PS1="ready> ")
    terminal.wait_for(lambda screen: any("ready>" in line for line in screen))
    terminal.press(f"clear; {shlex.join(QUICK)} --epochs 3 &\n".encode())
    terminal.wait_for(lambda screen: any("curves.png" in line for line in screen))
    terminal.press(b"exit\n")
    terminal.end()
    assert not live_lines(terminal)
    assert b"\x1b[?25l" not in terminal.raw
    assert sum(bool(ROW.match(line)) for line in terminal.lines) == 3


@pytest.mark.skipif(shutil.which("script") is None, reason="no script, of util-linux")
def test_in_script(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = ["script", "-qec", f"{shlex.join(QUICK)} --epochs 4", str(log)]
    terminal = Terminal(command, 80).end()
    assert terminal.code == 0
    assert any(LEFT.search(line) for line in live_lines(terminal))
    assert terminal.is_given_back()
    assert b"4/4" in log.read_bytes()


@pytest.mark.skipif(shutil.which("tmux") is None, reason="no tmux")
def test_under_tmux_and_made_narrower(tmp_path: Path) -> None:
    """tmux breaks a line that no longer fits in two, as most terminals of today do."""
    tmux = ["tmux", "-f", "/dev/null", "-S", str(tmp_path / "socket")]
    environment = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "TMUX": ""}

    def ask(*arguments: str) -> str:
        done = subprocess.run(
            [*tmux, *arguments], capture_output=True, text=True, check=True, env=environment
        )
        return done.stdout

    def screen_with(shows: Callable[[str], object], *history: str) -> str:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            shown = ask("capture-pane", "-p", *history)
            if shows(shown):
                return shown
            time.sleep(0.05)
        raise AssertionError(shown)

    def one_live_line_below(shown: str) -> bool:
        lines = shown.rstrip().splitlines()
        return sum(map(is_live, lines)) == 1 and lines[-1].startswith(tuple("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"))

    quick = shlex.join([*QUICK, "--wait", str(tmp_path / "go")])
    ask("new-session", "-d", "-x", "100", "-y", "40", f"{quick}; sleep 60")
    try:
        screen_with(lambda shown: "epoch 4/8" in shown and LEFT.search(shown))
        ask("resize-window", "-x", "50")
        time.sleep(0.3)
        screen_with(one_live_line_below)
        (tmp_path / "go").touch()
        shown = screen_with(lambda shown: "curves.png" in shown, "-S", "-200")
        assert not any(map(is_live, shown.splitlines())), shown
        assert not LEFT.search(shown), shown
        assert re.findall(r"^ +(\d)/8 ", shown, re.MULTILINE) == list("12345678"), shown
    finally:
        ask("kill-server")


@pytest.fixture(scope="module")
def pressed(tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    """A real training on a terminal without Unicode, ended by Ctrl-C."""
    root = tmp_path_factory.mktemp("outputs")
    endless = ["--set", "training.epochs=100000", "-o", str(root), "--name", "pressed"]
    terminal = Terminal([*RNN, *endless], 80, **ASCII)
    terminal.wait_for(lambda screen: any(re.search(r"epoch \d+/100000", x) for x in screen))
    terminal.press(b"\x03")
    return terminal.end()


@pytest.mark.slow
def test_ctrl_c_ends_a_real_training_in_order(pressed: Terminal) -> None:
    assert pressed.code == 130, pressed.text
    assert pressed.is_given_back()
    assert not LEFT.search(pressed.text)
    assert "Traceback" not in pressed.text
    assert re.search(r"interrupted after \d+ finished epochs?;", pressed.text)
    folder = Path(re.search(r"-> (\S+)", pressed.text)[1])  # type: ignore[index]
    assert json.loads((folder / "run.json").read_text())["status"] == "interrupted"
    epochs = (folder / "history.csv").read_text().splitlines()[1:]
    assert [int(line.split(",")[1]) for line in epochs] == list(range(1, len(epochs) + 1))
    assert (folder / "model.keras").exists()


@pytest.mark.slow
def test_a_real_training_without_unicode(pressed: Terminal) -> None:
    assert pressed.raw.isascii()
    assert "?" not in plain(pressed)
    assert "20 x 32" in pressed.text


@pytest.mark.slow
def test_the_live_line_is_there_well_before_tensorflow(pressed: Terminal) -> None:
    said = re.findall(r"(?:^|\r)[|/\\-] ([a-zA-Z: ]+?)(?: \d+s)?(?=\r)", plain(pressed))
    stages = list(dict.fromkeys(said))
    assert stages[:4] == ["starting", "reading sine", "starting TensorFlow", "building the model"]
    assert stages[4:6] == ["preparing the samples", "compiling: the first step takes a few seconds"]


@pytest.mark.slow
def test_a_reader_that_leaves_ends_training_in_order(tmp_path: Path) -> None:
    command = [*RNN, "--set", "training.epochs=100000", "-o", str(tmp_path), "--name", "left"]
    done = subprocess.run(
        ["bash", "-c", f"{shlex.join(command)} | grep -m1 'epoch 3/'; echo ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "141"
    folder = tmp_path / "rnn" / "left"
    record = json.loads((folder / "run.json").read_text())
    assert record["status"] == "interrupted"
    assert (folder / "model.keras").exists()
    assert len((folder / "history.csv").read_text().splitlines()) >= 4
