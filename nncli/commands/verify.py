"""`nncli verify RUN`: does it train to the same bits again?"""

from __future__ import annotations

import subprocess
from pathlib import Path

import typer

from nncli import options, process
from nncli.errors import ExitCode, Interrupted, RunError, TrainingError


def verify(
    name: options.Run,
    runs_in: options.RunsInOutput = Path("outputs"),
    as_json: options.Json = False,
) -> None:
    """Train a finished run again, and compare all of its numbers to the last bit.

    It is trained from its config.yaml in a folder that is removed afterwards; no features are taken
    from the cache. Ends with 1 and the first difference if there is one.

    nncli verify latest
    """
    from nncli import runs
    from nncli.files import passing_folder
    from nncli.report.console import print_json
    from nncli.report.verification import print_verified
    from nncli.verification import changed_since, first_difference

    folder = runs.find(name, runs_in)
    stored = runs.load(folder)
    if stored.run.get("status") != "finished":
        raise RunError(
            f"{folder} is {stored.run.get('status')}, so nothing tells what it would end with",
            hint=f"nncli train --resume {folder} goes on with it",
        )
    with passing_folder() as place:
        _train_again(folder, stored.kind, place, quiet=as_json)
        again = place / stored.kind / "again"
        difference = first_difference(folder, again)
        changed = changed_since(stored.run, runs.read_record(again))
    if as_json:
        print_json(
            {
                "document": "verify",
                "run": str(folder),
                "same": not difference,
                "difference": difference or None,
                "changed": changed,
            }
        )
    else:
        print_verified(folder, stored, difference, changed)
    if difference:
        raise typer.Exit(ExitCode.FAILED)


def _train_again(folder: Path, kind: str, place: Path, *, quiet: bool) -> None:
    """In a process of its own, as the run was.

    Raises:
        Interrupted: by a signal.
        TrainingError: it did not end well; it has said why.
    """
    done = subprocess.run(
        process.python(
            "from nncli.__main__ import run; run()",
            *("train", kind, "--config", str(folder / "config.yaml")),
            *("--output", str(place), "--name", "again", "--no-pictures", "--no-cache"),
            *(["--quiet"] if quiet else []),
        ),
        stdout=subprocess.DEVNULL if quiet else None,
    )
    if done.returncode > 128:
        raise Interrupted(done.returncode - 128)
    if done.returncode:
        raise TrainingError(
            f"{folder} cannot be trained again: it ended with {done.returncode}",
            hint="what it needs has changed: its data, a weights file, the device",
        )
