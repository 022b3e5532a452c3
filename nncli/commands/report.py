"""`nncli report RUN …`: a run as one page, or several compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from nncli import options
from nncli.errors import UsageError

ENDINGS = {".html", ".htm"}


def report(
    names: options.Runs,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The page. Without it report.html in the run's folder, "
            "for several runs one in outputs/comparisons.",
        ),
    ] = None,
    runs_in: options.RunsIn = Path("outputs"),
    open_: Annotated[bool, typer.Option("--open", help="Show the page in the browser.")] = False,
    as_json: options.Json = False,
) -> None:
    """Write what a run stored as one self-contained page, to read, to print, to send.

    Of several runs the first is shown in full, and all are compared.

    nncli report latest --open

    nncli report cnn-digits-002 cnn-digits-001
    """
    import webbrowser

    from nncli import runs
    from nncli.files import write_text
    from nncli.page import render
    from nncli.report.console import console, print_json
    from nncli.report.figures import print_figures
    from nncli.report.training import print_failed_figures
    from nncli.results import REPORT, FailedFigure, SavedFigure

    if output is not None and (output.suffix.lower() not in ENDINGS or output.is_dir()):
        raise UsageError(
            f"{output} is not the name of an HTML file", hint=f"--output {output / REPORT}"
        )
    found = [runs.find(name, runs_in) for name in names]
    folders = list({folder.resolve(): folder for folder in found}.values())
    stored = [runs.load(folder) for folder in folders]
    page = render(stored)
    path = output or _place(folders)
    write_text(path, page.html)
    failed = [FailedFigure(name, reason) for name, reason in page.failed.items()]
    if as_json:
        print_failed_figures(console(stderr=True), page.failed)
        print_json(
            {
                "document": "report",
                "report": str(path),
                "finding": page.title,
                "runs": [str(folder) for folder in folders],
                "failed_figures": page.failed,
            }
        )
    else:
        saved = SavedFigure("report", path, page.title, "everything about the run on one page")
        print_figures([saved], failed, as_json=False)
    if open_ and not webbrowser.open(path.absolute().as_uri()):
        console(stderr=True).print(f"no browser was found; open {path} yourself", soft_wrap=True)


def _place(folders: Sequence[Path]) -> Path:
    """In the run's own folder; of several runs beside the pictures that compare them."""
    from nncli.results import REPORT

    if len(folders) == 1:
        return folders[0] / REPORT
    return options.comparison_of([folder.name for folder in folders], ".html")
