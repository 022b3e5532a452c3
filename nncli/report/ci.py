"""What machines that run commands read: annotations of GitHub Actions, and JUnit's XML."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from nncli.errors import ConfigError, NncliError, RequirementError
from nncli.files import write_text
from nncli.report.console import visible
from nncli.requirements import Verdict


def annotate(message: str, *, file: str = "", line: int | None = None) -> None:
    """Mark a failure on the page of a GitHub Actions run; nothing anywhere else.

    Source: workflow commands for GitHub Actions, `::error file={name},line={line},title={title}::`.
    """
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return
    place = f"file={_escaped(file, ',:')},line={line or 1}," if file else ""
    sys.stderr.write(f"::error {place}title=nncli::{_escaped(message)}\n")


def annotate_error(error: NncliError) -> None:
    """Each problem of a config at its line, or the error as a whole."""
    problems = error.problems if isinstance(error, ConfigError) else ()
    placed = [each for each in problems if each.line]
    for each in placed:
        annotate(each.message, file=each.origin, line=each.line)
    if not placed:
        annotate(f"{error.message}\n{error.hint}" if error.hint else error.message)


def annotate_missed(verdicts: Sequence[Verdict]) -> None:
    """What was required and is not so."""
    for each in verdicts:
        if not each.met:
            annotate(f"not reached: {each.text}")


def _escaped(text: str, more: str = "") -> str:
    for character in "%\r\n" + more:
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def write_junit(
    path: Path,
    suite: str,
    verdicts: Sequence[Verdict],
    error: BaseException | None,
    what: str = "trains",
) -> None:
    """A test suite with a case for the command itself and one for each requirement.

    Args:
        path: of the XML file.
        suite: its name, the command.
        verdicts: what became of what was required.
        error: what ended the command, where it did not end by itself; of what was judged the
            verdicts tell.
        what: the command's own case.

    Raises:
        RunError: it cannot be written.
    """
    from xml.etree import ElementTree

    if verdicts or isinstance(error, RequirementError):
        error = None
    failed = sum(not each.met for each in verdicts)
    top = ElementTree.Element(
        "testsuite",
        name=suite,
        tests=str(len(verdicts) + 1),
        failures=str(failed),
        errors=str(int(error is not None)),
    )
    done = ElementTree.SubElement(top, "testcase", classname=suite, name=what)
    if error is not None:
        ElementTree.SubElement(done, "error", message=visible(str(error) or type(error).__name__))
    for each in verdicts:
        case = ElementTree.SubElement(top, "testcase", classname=suite, name=each.requirement.text)
        if not each.met:
            ElementTree.SubElement(case, "failure", message=each.text)
    ElementTree.indent(top)
    declared = '<?xml version="1.0" encoding="UTF-8"?>\n'
    write_text(path, declared + ElementTree.tostring(top, encoding="unicode") + "\n")
