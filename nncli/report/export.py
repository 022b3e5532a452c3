"""What was exported, on the terminal and as data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nncli.report.console import console, print_sentence, visible
from nncli.report.units import size_text
from nncli.results import Exported

if TYPE_CHECKING:
    from nncli.documents.export import Export


def print_exporting(run: str, runtime: str) -> None:
    """Say on a terminal what takes a while."""
    screen = console(stderr=True)
    if screen.is_terminal:
        screen.print(f"writing {run} and asking {runtime} …", style="dim", soft_wrap=True)


def print_exported(made: Exported) -> None:
    """The file, what goes in and out, and how far its answers are from Keras's."""
    from rich.text import Text

    screen = console()
    print_sentence(
        screen,
        Text("✓ ", "bold green"),
        Text.assemble((str(made.path), "bold"), f"  {size_text(made.size)}"),
    )
    for label, text in (("takes", made.takes), ("gives", made.gives), ("checked", _check(made))):
        print_sentence(screen, Text(f"  {label:<9}", "dim"), Text(visible(text)))
    if made.beside:
        files = ", ".join(path.name for path in made.beside)
        print_sentence(screen, Text(f"  {'beside it':<9}", "dim"), Text(visible(f" {files}")))
    for note in made.notes:
        print_sentence(screen, Text("  ! ", "yellow"), Text(visible(note), "yellow"))


def _check(made: Exported) -> str:
    unit = "" if "probabilit" in made.gives else " deviations"
    samples = "1 sample" if made.samples == 1 else f"{made.samples:,} samples"
    return (
        f"{made.runtime} answers as the run does in Keras on {samples} {made.samples_of}: "
        f"largest difference {made.difference:.1e}{unit}, {made.tolerance:g} allowed"
    )


def exported_document(made: Exported) -> Export:
    """The same as data."""
    return {
        "document": "export",
        "run": made.run,
        "format": made.format,
        "path": str(made.path),
        "beside": [str(path) for path in made.beside],
        "size": made.size,
        "takes": made.takes,
        "gives": made.gives,
        "runtime": made.runtime,
        "samples": made.samples,
        "samples_of": made.samples_of,
        "difference": made.difference,
        "tolerance": made.tolerance,
        "notes": made.notes,
    }
