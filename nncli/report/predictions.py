"""Answers as they come: a table for people, CSV or JSON Lines for programs."""

from __future__ import annotations

import csv
import json
import sys
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nncli.documents import SCHEMA_VERSION
from nncli.process import hold_signals
from nncli.report.console import console, print_sentence, spelled, visible
from nncli.report.table import Column, print_table
from nncli.report.units import decimal
from nncli.results import Answers, Array, Outlook, Unreadable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from nncli.documents.prediction import (
        ForecastStep,
        Predict,
        Prediction,
        PredictSteps,
        UnreadableInput,
    )

Format = Literal["table", "csv", "jsonl"]
MOST_REPORTED = 20
"""Of more that cannot be read only the number is printed; `--json` and `jsonl` have all."""
MOST_COUNTED = 8
"""Of more classes the last line counts the most frequent."""
GAP = 3
"""Blanks between two columns."""
SHARE_WIDTH = len("probability")


class AnswerWriter(ABC):
    """Writes answers to standard output, and what cannot be read to standard error."""

    def __init__(self, classes: Sequence[str]) -> None:
        self.classes = classes
        self.answered = 0
        self.unreadable = 0

    def add(self, answers: Answers) -> None:
        """Write some, at once; a signal waits until they are there."""
        with hold_signals():
            if answers.names:
                self._write(answers)
                self.answered += len(answers.names)
            for each in answers.unreadable:
                self._report(each)
                self.unreadable += 1
            sys.stdout.flush()

    @abstractmethod
    def _write(self, answers: Answers) -> None: ...

    def _report(self, unreadable: Unreadable) -> None:
        """Say what cannot be read, and why."""
        if self.unreadable < MOST_REPORTED:
            _warn(unreadable.sentence)

    def close(self, files: Sequence[Path] = ()) -> None:  # noqa: ARG002 - for those who tell
        """Nothing comes any more: how much could not be read, and what was saved."""
        if self.unreadable > MOST_REPORTED:
            _warn(f"and {self.unreadable - MOST_REPORTED:,} more cannot be read")
        if self.unreadable:
            _warn(f"{self.unreadable:,} cannot be read; {self.answered:,} answered", "error")


class CsvWriter(AnswerWriter):
    """`name,class,probability,p_cat,p_dog`, each number to its last digit."""

    def _write(self, answers: Answers) -> None:
        rows = csv.writer(sys.stdout, lineterminator="\n")
        if not self.answered:
            rows.writerow(["name", "class", "probability", *(f"p_{c}" for c in self.classes)])
        for row in _rows(answers, self.classes):
            rows.writerow([row["name"], row["class"], row["probability"],
                           *row["probabilities"].values()])  # fmt: skip


class JsonLinesWriter(AnswerWriter):
    """A JSON object in each line; of what cannot be read too, with its `error`."""

    def _write(self, answers: Answers) -> None:
        for row in _rows(answers, self.classes):
            _print_line(row)

    def _report(self, unreadable: Unreadable) -> None:
        super()._report(unreadable)
        _print_line({"name": unreadable.name, "error": unreadable.reason})


class DocumentWriter(AnswerWriter):
    """Keeps all for one JSON document."""

    def __init__(self, classes: Sequence[str]) -> None:
        super().__init__(classes)
        self.rows: list[Prediction] = []
        self.lost: list[UnreadableInput] = []

    def _write(self, answers: Answers) -> None:
        self.rows += _rows(answers, self.classes)

    def _report(self, unreadable: Unreadable) -> None:
        super()._report(unreadable)
        self.lost.append({"name": unreadable.name, "reason": unreadable.reason})

    def document(self, folder: Path, files: Sequence[Path]) -> Predict:
        """All of it, to be printed."""
        return {
            "document": "predict",
            "run": str(folder),
            "classes": list(self.classes),
            "predictions": self.rows,
            "unreadable": self.lost,
            "files": [str(file) for file in files],
        }


class TableWriter(AnswerWriter):
    """A row for each: its name, the likeliest class, its probability, and those after it."""

    def __init__(self, classes: Sequence[str], top: int) -> None:
        super().__init__(classes)
        self.screen = console()
        self.shown = min(top, len(classes))
        self.widths: list[int] = []
        self.counts: Counter[int] = Counter()

    def _write(self, answers: Answers) -> None:
        from rich.text import Text

        order = (-answers.probabilities).argsort(axis=1, kind="stable")[:, : self.shown]
        self.counts.update(order[:, 0].tolist())
        rows = [
            [
                spelled(self.screen, Text(visible(name))),
                *self._cells(best, chances),
            ]
            for name, best, chances in zip(answers.names, order, answers.probabilities, strict=True)
        ]
        if not self.widths:
            self._begin(rows)
        lines = [self._line(row) for row in rows]
        # at once: Rich takes its time for each thing that it is given
        self.screen.print(Text("\n").join(lines), soft_wrap=True)

    def _cells(self, best: Array, chances: Array) -> list[Text]:
        """Class and probability of the first, both together of those after it."""
        from rich.text import Text

        names = [spelled(self.screen, Text(visible(self.classes[i]))) for i in best]
        shares = [percent(float(chances[i])) for i in best]
        return [
            Text(names[0].plain, "bold"),
            Text(shares[0].rjust(SHARE_WIDTH)),
            *(
                Text(f"{name.plain} {share}", "dim")
                for name, share in zip(names[1:], shares[1:], strict=True)
            ),
        ]

    def _begin(self, rows: Sequence[Sequence[Text]]) -> None:
        """Choose the columns that fit, by the first rows, and print their titles."""
        from rich.text import Text

        titles = ["name", "class", "probability".rjust(SHARE_WIDTH), "next", *[""] * self.shown]
        known = max((Text(visible(name)).cell_len for name in self.classes), default=0)
        for column, title in zip(zip(*rows, strict=True), titles, strict=False):
            width = max(len(title), *(cell.cell_len for cell in column))
            self.widths.append(max(width, known) if title == "class" else width)
        while len(self.widths) > 3 and self._width() > self.screen.width:
            self.widths.pop()
        heading = self._line([Text(title, "dim") for title in titles[: len(self.widths)]])
        rule = Text("─" * min(self._width(), self.screen.width), "dim")
        self.screen.print(Text("\n").join([heading, rule]), soft_wrap=True)

    def _width(self) -> int:
        return sum(self.widths) + GAP * (len(self.widths) - 1)

    def _line(self, cells: Sequence[Text]) -> Text:
        from rich.text import Text

        line = Text()
        for cell, width in zip(cells, self.widths, strict=False):
            line.append_text(cell)
            line.append(" " * (width - cell.cell_len + GAP))
        line.rstrip()
        return line

    def close(self, files: Sequence[Path] = ()) -> None:
        """How often each class was answered, then as all."""
        from rich.text import Text

        if self.answered > 1:
            many = self.counts.most_common(MOST_COUNTED)
            counted = ", ".join(f"{visible(self.classes[i])} ({count:,})" for i, count in many)
            more = ", …" if len(self.counts) > len(many) else ""
            text = Text(f"{self.answered:,} answered: {counted}{more}", "dim")
            print_sentence(self.screen, Text(), text)
        for file in files:
            print_sentence(self.screen, Text(), Text(visible(f"saved {file}"), "dim"))
        super().close(files)


def answer_writer(format: Format, classes: Sequence[str], top: int) -> AnswerWriter:
    """What writes answers in a format."""
    if format == "table":
        return TableWriter(classes, top)
    return CsvWriter(classes) if format == "csv" else JsonLinesWriter(classes)


def percent(share: float) -> str:
    """`98.3%`; only what is all or nothing is shown as such."""
    text = f"{share:.1%}"
    if text == "100.0%" and share < 1:
        return "99.9%"
    return "<0.1%" if text == "0.0%" and share > 0 else text


def _rows(answers: Answers, classes: Sequence[str]) -> list[Prediction]:
    """What is said of each sample, as plain values."""
    found: list[Prediction] = []
    for name, chances in zip(answers.names, answers.probabilities.tolist(), strict=True):
        best = max(range(len(chances)), key=chances.__getitem__)
        found.append(
            {
                "name": name,
                "class": classes[best],
                "probability": chances[best],
                "probabilities": dict(zip(classes, chances, strict=True)),
            }
        )
    return found


def _print_line(row: Mapping[str, Any]) -> None:
    """One JSON object in one line."""
    unicode = (sys.stdout.encoding or "").lower().startswith("utf")
    whole = {"schema_version": SCHEMA_VERSION, **row}
    sys.stdout.write(json.dumps(whole, ensure_ascii=not unicode, allow_nan=False) + "\n")


def _warn(text: str, level: str = "warning") -> None:
    from rich.text import Text

    style = {"warning": "bold yellow", "error": "bold red"}[level]
    print_sentence(console(stderr=True), Text(f"{level}: ", style), Text(visible(text)))


def print_outlook(outlook: Outlook, format: Format, files: Sequence[Path]) -> None:
    """A forecast: a row for each step."""
    if format == "csv":
        rows = csv.writer(sys.stdout, lineterminator="\n")
        rows.writerow(["step", "date", "value", "test_error"])
        rows.writerows(row.values() for row in _steps(outlook))
    elif format == "jsonl":
        for row in _steps(outlook):
            _print_line(row)
    else:
        _print_outlook(console(), outlook, files)
    sys.stdout.flush()


def outlook_document(outlook: Outlook, folder: Path, files: Sequence[Path]) -> PredictSteps:
    """The same for `--json`, with what the model saw."""
    seen = outlook.observed[-outlook.window :].tolist()
    dates = outlook.dates[-outlook.window :] or (None,) * len(seen)
    return {
        "document": "predict --steps",
        "run": str(folder),
        "series": outlook.name,
        "seen": [{"date": d, "value": v} for d, v in zip(dates, seen, strict=True)],
        "forecast": _steps(outlook),
        "files": [str(file) for file in files],
    }


def _steps(outlook: Outlook) -> list[ForecastStep]:
    """Each step as plain values; null where there is no date, or nothing to be off from."""
    dated = not outlook.labels[0].startswith("+")
    errors = [*outlook.errors.tolist(), *[None] * len(outlook.ahead)]
    steps = zip(outlook.labels, outlook.ahead.tolist(), errors, strict=False)
    return [
        {"step": step, "date": label if dated else None, "value": value, "test_error": error}
        for step, (label, value, error) in enumerate(steps, start=1)
    ]


def _print_outlook(screen: Console, outlook: Outlook, files: Sequence[Path]) -> None:
    from rich.text import Text

    last = f" after {outlook.dates[-1]}" if outlook.dates else ""
    count = len(outlook.ahead)
    title = f"{outlook.name}: {count:,} step{'s' * (count > 1)}{last}"
    now, largest = float(outlook.observed[-1]), float(abs(outlook.observed).max())
    # what rounding leaves of a zero
    title += f", where it is {now if abs(now) > 1e-9 * largest else 0:.6g}"
    print_sentence(screen, Text(), Text(visible(title), "bold"))
    steps = _steps(outlook)
    columns = [
        Column("step", [Text(f"{row['step']:,}") for row in steps], drop=2),
        Column("date", [Text(visible(row["date"] or "")) for row in steps]),
        Column(visible(outlook.name), [Text(decimal(row["value"]), "bold") for row in steps]),
        Column("± on the test part", [_error(row["test_error"]) for row in steps], drop=1),
    ]
    if steps[0]["date"] is None:
        columns[:2] = [replace(columns[0], drop=0)]
    print_table(screen, columns)
    text = "±: the mean absolute error of so many steps ahead on the test part"
    for each in (text, *(f"saved {file}" for file in files)):
        print_sentence(screen, Text(), Text(visible(each), "dim"))


def _error(error: float | None) -> Text:
    from rich.text import Text

    return Text("–" if error is None else f"±{decimal(error)}", "dim")
