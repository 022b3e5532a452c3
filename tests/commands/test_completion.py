from __future__ import annotations

import shutil
import subprocess

import pytest

from nncli.cli import main
from nncli.completion import SCRIPTS
from nncli.errors import ExitCode


@pytest.mark.parametrize("shell", SCRIPTS)
def test_the_script_is_printed_and_its_shell_can_read_it(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", shell]) == ExitCode.DONE
    output, errors = capsys.readouterr()
    assert (output, errors) == (SCRIPTS[shell], "")
    if shutil.which(shell) is not None:
        done = subprocess.run([shell, "-n"], input=output, text=True, capture_output=True)
        assert (done.returncode, done.stderr) == (0, "")


def test_another_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "tcsh"]) == ExitCode.USAGE
    output, errors = capsys.readouterr()
    assert output == ""
    assert "tcsh" in errors
    assert "Traceback" not in errors
