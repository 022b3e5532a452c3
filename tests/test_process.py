"""What the process was given, and other Pythons that it starts."""

from __future__ import annotations

import subprocess
from pathlib import Path

from nncli import process


def test_another_python_takes_no_module_out_of_the_current_folder(tmp_path: Path) -> None:
    for name in ("json", "matplotlib", "random"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a file of the user')")
    call = "import json, matplotlib, random; print(sys.argv[1:])"
    done = subprocess.run(
        process.python(call, "a", "b"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (0, "['a', 'b']\n"), done.stderr
