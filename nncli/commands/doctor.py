"""`nncli doctor`: is all here that nncli needs?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nncli import options
from nncli.errors import ExitCode


def doctor(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The folder that runs are to be saved in.")
    ] = Path("outputs"),
    as_json: options.Json = False,
) -> None:
    """Check what nncli needs, say why a GPU is not used, and train for seconds.

    Python, packages, processor, memory, folders, what Keras has downloaded, TensorFlow, the GPU,
    and a small training that must learn. Ends with 1 if there is a problem.

    nncli doctor
    """
    from nncli import process, status
    from nncli.doctor import examine
    from nncli.doctor.machine import Machine
    from nncli.report.console import print_json
    from nncli.report.doctor import DoctorReport, doctor_document

    report = DoctorReport(as_json=as_json)
    checks = []
    with (
        report,
        process.borrowed_terminal(report.give_back_terminal, report.take_terminal),
        status.told_to(report.listener.status),
    ):
        for check in examine(Machine(output=output)):
            checks.append(check)
            report.print(check)
    if as_json:
        print_json(doctor_document(checks))
    else:
        report.end(checks)
    if any(check.status == "problem" for check in checks):
        raise typer.Exit(ExitCode.FAILED)
