"""What a dataset is and what is wrong with it, on the terminal and as data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nncli.report.console import console, print_sentence, relative, visible
from nncli.report.model import shape_text
from nncli.report.table import Column, print_table
from nncli.report.training import print_header, print_notes
from nncli.report.units import size_text
from nncli.results import DataFinding, DataReport, PartFacts, SourceRow

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from nncli.documents.data import DataCheck, DataList, DataPart

MOST_CLASSES = 20
ENDS = 5
"""Of more classes the largest and the smallest are printed, so many of each."""
MOST_PLACES = 5
"""How many places of a finding are printed; `--json` has all."""
NAME_WIDTH, BAR_WIDTH = 24, 16
FINGERPRINT = 12
"""So many digits tell two datasets apart well enough to see it."""
MARKS = {"error": ("✗ ", "bold red"), "warning": ("! ", "bold yellow")}


def print_data_report(
    command: str,
    report: DataReport,
    *,
    picture: Path | None,
    shows: str,
    failed: str,
    quiet: bool,
) -> None:
    """What there is, what is in order, what is not, and how many findings.

    Args:
        command: the beginning of the command line, `nncli data check`.
        report: what was found.
        picture: where the picture of the samples is.
        shows: what it shows.
        failed: why there is none; empty where nothing failed.
        quiet: errors and the result line only.
    """
    from rich.text import Text

    screen = console()
    if not quiet:
        print_header(screen, command, [visible(fact) for fact in _facts(report)], None)
        print_notes(screen, [visible(note) for note in report.notes])
        if report.parts:
            screen.print()
            print_table(screen, _part_columns(report.parts))
            meaning = Text(f"from, to, mean and deviation: {visible(report.numbers)}", "dim")
            print_sentence(screen, Text(), meaning)
            if report.classes:
                screen.print()
                _print_classes(screen, report)
            screen.print()
        for sentence in report.passed:
            print_sentence(screen, Text("✓ ", "bold green"), Text(sentence))
    for finding in reversed(report.findings):
        if finding.level == "error" or not quiet:
            _print_finding(screen, finding)
    if failed:
        console(stderr=True).print(
            Text.assemble(("warning: ", "yellow"), f"the picture could not be drawn: {failed}"),
            soft_wrap=True,
        )
    if picture is not None and not quiet:
        saved = Text.assemble(f"saved {picture}", (f"  {visible(shows)}", "dim"))
        print_sentence(screen, Text(), saved)
    style = "bold red" if report.errors else "bold yellow" if report.warnings else "bold green"
    screen.print(Text(tally(report), style), soft_wrap=True)


def tally(report: DataReport) -> str:
    """`2 warnings, 0 errors`."""
    warnings = "1 warning" if report.warnings == 1 else f"{report.warnings} warnings"
    errors = "1 error" if report.errors == 1 else f"{report.errors} errors"
    return f"{warnings}, {errors}"


def data_document(
    report: DataReport, *, picture: Path | None, shows: str, failed: str
) -> DataCheck:
    """The same for `--json`, with all places of all findings."""
    return {
        "document": "data check",
        "source": report.source,
        "path": report.path,
        "kind": report.kind,
        "family": report.family or None,
        "task": report.task,
        "input_shape": report.input_shape,
        "numbers": report.numbers or None,
        "classes": report.classes,
        "parts": {part.name: _part_document(part) for part in report.parts},
        "fingerprint": report.fingerprint or None,
        "notes": report.notes,
        "findings": report.findings,
        "passed": report.passed,
        "samples": report.samples,
        "warnings": report.warnings,
        "errors": report.errors,
        "picture": None if picture is None else {"file": str(picture), "shows": shows},
        "failed_picture": failed or None,
    }


def _part_document(part: PartFacts) -> DataPart:
    return {
        "samples": part.samples,
        "shape": part.shape,
        "dtype": part.dtype,
        "bytes": part.bytes,
        "minimum": part.minimum,
        "maximum": part.maximum,
        "mean": part.mean,
        "deviation": part.deviation,
        "classes": part.classes,
        "steps": part.steps,
    }


def print_sources(rows: Sequence[SourceRow]) -> None:
    """The sources: what can learn from each, what it is, and what it needs."""
    from rich.text import Text

    screen = console()
    width = max(len(row.name) for row in rows)
    kinds = max(len(", ".join(row.kinds)) for row in rows)
    for row in rows:
        mark = "  (downloads on first use)" if row.needs_network else ""
        mark = "  (data.path)" if row.needs_path else mark
        line = Text.assemble(
            (f"{row.name:<{width}}", "bold cyan"),
            (f"  {', '.join(row.kinds):<{kinds}}", "dim"),
            f"  {row.summary}",
            (mark, "yellow"),
        )
        if screen.is_terminal and line.cell_len > screen.width:
            head = Text.assemble(
                (row.name, "bold cyan"), (f"  {', '.join(row.kinds)}", "dim"), (mark, "yellow")
            )
            print_sentence(screen, Text(), head)
            print_sentence(screen, Text("  "), Text(row.summary))
        else:
            screen.print(line, soft_wrap=True)
    screen.print()
    print_sentence(
        screen, Text(), Text("nncli data check SOURCE, or the path of your own data, looks into it")
    )


def _facts(report: DataReport) -> list[str]:
    """What the header says."""
    facts = [report.source]
    if report.path is not None:
        facts = [f"{report.source} {relative(report.path)}"]
    if report.input_shape:
        sides = report.input_shape
        if report.family == "images":
            pixels = "pixel" if sides[:2] == (1, 1) else "pixels"
            colour = {1: "grey", 3: "colour"}.get(sides[2], f"{sides[2]} channels")
            facts.append(f"{shape_text(sides[:2])} {pixels}, {colour}")
        elif report.family == "sequences":
            features = "1 feature" if sides[1] == 1 else f"{sides[1]:,} features"
            facts.append(f"{sides[0]:,} steps of {features}")
        else:
            columns = f" of {sides[1]:,} columns" if sides[1] > 1 else ""
            facts.append(f"windows of {sides[0]:,} values{columns}")
    if report.classes:
        facts.append(f"{len(report.classes):,} classes")
    elif report.task:
        facts.append(report.task)
    facts.append(f"for {report.kind}")
    if report.fingerprint:
        facts.append(f"fingerprint {report.fingerprint[:FINGERPRINT]}")
    return facts


def _part_columns(parts: Sequence[PartFacts]) -> list[Column]:
    from rich.text import Text

    def column(title: str, cells: Sequence[str], drop: int = 0) -> Column:
        return Column(title, [Text(cell) for cell in cells], "right", drop)

    names = Column("part", [Text(part.name, "bold") for part in parts], "left")
    columns = [names, column("samples", [f"{part.samples:,}" for part in parts])]
    if any(part.steps for part in parts):
        steps = [" / ".join(f"{n:,}" for n in part.steps or ()) for part in parts]
        columns.append(column("steps: least / median / most", steps, 2))
    columns += [
        column("from", [_number(part.minimum) for part in parts], 1),
        column("to", [_number(part.maximum) for part in parts], 1),
        column("mean", [_number(part.mean) for part in parts], 3),
        column("deviation", [_number(part.deviation) for part in parts], 4),
        column("as float32", [size_text(part.bytes) for part in parts], 5),
    ]
    return columns


def _number(value: float) -> str:
    """Four significant digits: `255`, `33.1`, `-0.02741`."""
    text = f"{value:.4g}"
    return "0" if text == "-0" else text


def _print_classes(screen: Console, report: DataReport) -> None:
    """How many samples of each class are in each part; of many classes the extremes."""
    from rich.text import Text

    counts = report.class_counts
    names = list(counts)
    left_out = 0
    if len(names) > MOST_CLASSES:
        order = sorted(names, key=lambda name: -counts[name])
        names = order[:ENDS] + order[-ENDS:]
        left_out = len(order) - len(names)
    most = max(counts.values()) or 1
    columns = [Column("class", [_name(name) for name in names], "left")]
    for part in report.parts:
        cells = [_count(part.classes[name]) for name in names]
        columns.append(Column(part.name, cells, "right", drop=1 if part.name != "train" else 0))
    columns += [
        Column("all", [Text(f"{counts[name]:,}", "bold") for name in names], "right", drop=2),
        Column("", [_bar(counts[name], most) for name in names], "left", drop=3),
    ]
    print_table(screen, columns)
    if left_out:
        print_sentence(
            screen,
            Text(),
            Text(f"and {left_out:,} classes between the largest and smallest", "dim"),
        )


def _name(name: str) -> Text:
    from rich.text import Text

    text = Text(" ".join(visible(name).split()) or "(no name)", "bold")
    text.truncate(NAME_WIDTH, overflow="ellipsis")
    return text


def _count(count: int) -> Text:
    from rich.text import Text

    return Text(f"{count:,}", "" if count else "bold yellow")


def _bar(count: int, most: int) -> Text:
    from rich.text import Text

    blocks = "█" * round(count / most * BAR_WIDTH)
    return Text(blocks or ("▏" if count else ""), "blue")


def _print_finding(screen: Console, finding: DataFinding) -> None:
    """The finding, what to do, and the first places."""
    from rich.text import Text

    mark, style = MARKS[finding.level]
    print_sentence(
        screen,
        Text(mark, style),
        Text.assemble((f"{finding.level}: ", style), visible(finding.message)),
    )
    if finding.hint:
        print_sentence(screen, Text("  "), Text(visible(finding.hint), "green"))
    places = [place for place in finding.places if place not in finding.message]
    for place in places[:MOST_PLACES]:
        print_sentence(screen, Text("    "), Text(visible(relative(place)), "dim"))
    if len(places) > MOST_PLACES:
        more = f"and {len(places) - MOST_PLACES:,} more, all with --json"
        print_sentence(screen, Text("    "), Text(more, "dim"))


def source_document(rows: Sequence[SourceRow]) -> DataList:
    """The sources for `--json`."""
    return {"document": "data list", "sources": rows}
