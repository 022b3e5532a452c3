"""The runs in a folder, on the terminal and as data; and that some are deleted."""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nncli.report.console import console, print_sentence, spelled, visible
from nncli.report.table import GAPS, Column, print_table
from nncli.report.units import ago, duration, number, short, size_text
from nncli.results import RunRow

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from nncli.documents.runs import Best, Run, RunsList, Tested

STATUS_STYLES = {
    "finished": "green",
    "running": "bold cyan",
    "interrupted": "yellow",
    "cut off": "bold yellow",
    "failed": "red",
    "damaged": "bold red",
}
NONE = "–"
LEAST_NAME = 8
"""Letters that are left of a run's name, however narrow the terminal is."""
OUTPUTS = Path("outputs")
"""Where a run is looked for that is named without a folder."""


def print_runs(rows: Sequence[RunRow], *, matching: int, total: int, root: Path) -> None:
    """A table of runs, how many there are, and what can be done with those that did not finish.

    Args:
        rows: that are shown, in their order.
        matching: how many there are of that kind and status.
        total: how many there are.
        root: the folder of all.
    """
    from rich.text import Text

    screen = console()
    if not total:
        text = f"{root} holds no runs; nncli train rnn makes one in outputs"
        print_sentence(screen, Text(), Text(visible(text)))
        return
    if rows:
        print_table(screen, _columns(screen, rows))
    print_sentence(screen, Text(), Text(_count(len(rows), matching, total), "dim"))
    where = "" if root == OUTPUTS else f" --output {shlex.quote(str(root))}"
    for sentence in _hints(rows, where):
        print_sentence(screen, Text(), Text(visible(sentence), "yellow"))


def _count(shown: int, matching: int, total: int) -> str:
    """`3 runs`, `20 of 1,000 runs`, `none of 7 runs is like that`."""
    if not matching:
        said = "the only run is" if total == 1 else f"none of {total:,} runs is"
        return f"{said} {'not ' if total == 1 else ''}like that"
    if shown < total:
        found = "" if matching == total or shown == matching else f" of {matching:,} like that, all"
        return f"{shown:,}{found} of {total:,} runs"
    return "1 run" if total == 1 else f"{total:,} runs"


def _hints(rows: Sequence[RunRow], where: str) -> list[str]:
    """How to go on with runs that did not finish, and what to do about damaged ones."""
    sentences = []
    called = list(zip(_called(rows), rows, strict=True))
    stopped = [(name, row) for name, row in called if row.can_go_on]
    if len(stopped) == 1:
        ((name, row),) = stopped
        sentences.append(
            f"{name} was {row.status}: nncli train --resume {shlex.quote(name)}{where} "
            "goes on with it"
        )
    elif stopped:
        sentences.append(
            f"{len(stopped):,} runs were cut off or interrupted: nncli train --resume NAME{where} "
            "goes on with one"
        )
    damaged = [name for name, row in called if row.status == "damaged"]
    if damaged:
        said = "1 run is" if len(damaged) == 1 else f"{len(damaged):,} runs are"
        name = shlex.quote(damaged[0]) if len(damaged) == 1 else "NAME"
        sentences.append(f"{said} damaged: nncli runs show {name}{where} says how")
    return sentences


def _columns(screen: Console, rows: Sequence[RunRow]) -> list[Column]:
    from rich.text import Text

    text = cache(Text)  # of many runs most cells say the same

    def column(title: str, cell: Callable[[RunRow], str], drop: int, side: Any = "right") -> Column:
        return Column(title, [text(cell(row) or NONE) for row in rows], side, drop)

    statuses = [text(row.status, STATUS_STYLES[row.status]) for row in rows]
    status = Column("status", statuses, "left")
    now = datetime.now(UTC)
    best = _one_metric([row.metric for row in rows if row.value is not None])
    test = _one_metric([row.test_metric for row in rows if row.test_value is not None])
    return [
        Column("run", _names(screen, rows, screen.width - status.width - GAPS[-1]), "left"),
        column("kind", lambda row: _one_line(row.kind), 7, "left"),
        column("data", lambda row: _one_line(row.data), 5, "left"),
        column(short(best) or "best", lambda row: _figure(row.metric, row.value, best), 1),
        column(
            f"test {short(test).removeprefix('accuracy') or 'acc'}" if test else "test",
            lambda row: _figure(row.test_metric, row.test_value, test),
            2,
        ),
        column("epochs", lambda row: "" if row.epochs is None else f"{row.epochs:,}", 3),
        column("time", lambda row: "" if row.seconds is None else duration(row.seconds), 4),
        status,
        column("started", lambda row: _age(row.started, now), 6),
    ]


def _one_metric(names: Sequence[str]) -> str:
    """The metric of all rows; empty where they have several."""
    return names[0] if len(set(names)) == 1 else ""


def _figure(metric: str, value: float | None, title: str) -> str:
    """The value; with its name, where the title does not say it, and it is no share."""
    if value is None:
        return ""
    named = not title and not metric.endswith("accuracy")
    return f"{visible(short(metric))} {number(metric, value)}" if named else number(metric, value)


def _age(started: str, now: datetime) -> str:
    try:
        then = datetime.fromisoformat(started)
        return ago((now - then).total_seconds())
    except (ValueError, TypeError):  # a time without its zone cannot be subtracted
        return ""


def _names(screen: Console, rows: Sequence[RunRow], room: int) -> list[Text]:
    """The names, with their kind where two are equal; what does not fit loses its middle."""
    from rich.text import Text

    left_out = spelled(screen, Text("…")).plain
    room = max(room, LEAST_NAME)
    return [Text(_shortened(_one_line(name), room, left_out), "bold") for name in _called(rows)]


def _called(rows: Sequence[RunRow]) -> list[str]:
    """What each run is told from the others by."""
    counts = Counter(row.name for row in rows)
    return [
        row.name if counts[row.name] == 1 else f"{row.folder.parent.name}/{row.name}"
        for row in rows
    ]


def _one_line(name: str) -> str:
    return " ".join(visible(name).split())


def _shortened(name: str, room: int, left_out: str) -> str:
    if len(name) <= room:
        return name
    room -= len(left_out)
    end = room // 2
    return name[: room - end] + left_out + name[-end:]


def list_document(rows: Sequence[RunRow], *, matching: int, total: int) -> RunsList:
    """The same for `--json`."""
    return {
        "document": "runs list",
        "runs": [row_document(row) for row in rows],
        "matching": matching,
        "total": total,
    }


def row_document(row: RunRow) -> Run:
    """A run as a row of JSON; null for what is not known."""
    best: Best | None = None
    if row.value is not None:
        best = {"metric": row.metric, "value": row.value, "epoch": row.best_epoch}
    test: Tested | None = None
    if row.test_value is not None:
        test = {"metric": row.test_metric, "value": row.test_value}
    return {
        "run": str(row.folder),
        "name": row.name,
        "kind": row.kind,
        "data": row.data or None,
        "status": row.status,
        "started": row.started or None,
        "epochs": row.epochs,
        "best": best,
        "test": test,
        "seconds": row.seconds,
        "can_go_on": row.can_go_on,
        "problem": row.problem or None,
    }


def is_confirmed(sizes: Mapping[Path, int]) -> bool:
    """Ask whether runs are to be deleted.

    Args:
        sizes: bytes of each run folder.
    """
    from rich.text import Text

    screen = console(stderr=True)
    for folder, size in sizes.items():
        _print_folder(screen, folder, size)
    what = "this run" if len(sizes) == 1 else f"these {len(sizes):,} runs"
    screen.print(Text.assemble((f"delete {what}? ", "bold"), "[y/N] "), end="", soft_wrap=True)
    if sys.stdin.readline().strip().lower() in {"y", "yes"}:
        return True
    screen.print(Text("nothing was deleted"), soft_wrap=True)
    return False


def print_deleted(folder: Path, size: int) -> None:
    """A run folder that is no more."""
    _print_folder(console(), folder, size, "deleted ")


def _print_folder(screen: Console, folder: Path, size: int, before: str = "") -> None:
    from rich.text import Text

    text = Text.assemble(before, visible(str(folder)), (f"  {size_text(size)}", "dim"))
    print_sentence(screen, Text(), text)
