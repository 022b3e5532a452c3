"""Mutants of valid configs: each is a config that is obeyed, or is refused at its mistake.

A sample runs with the other tests; `make faults` runs 3,000 and prints what became of them.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from nncli.cli import main
from nncli.errors import ExitCode
from tests.config.mutants import Mutant, Verdict, judge, mutant, set_mutant, unchanged

ASKED = "NNCLI_MUTANTS"
MUTANTS = int(os.environ.get(ASKED, "100"))

# The first kind shrinks to the smallest text that fails, the second kind differs more.
randoms = st.one_of(st.randoms(use_true_random=False), st.integers(0, 2**64).map(Random))


def sampled(examples: int) -> settings:
    return settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


@dataclass
class Count:
    """What became of the mutants of one test."""

    refused: int = 0
    valid: int = 0
    crashes: int = 0
    positions: int = 0
    direct: int = 0
    wrong: int = 0

    def add(self, verdict: Verdict) -> None:
        self.refused += verdict.refused
        self.valid += not verdict.refused
        self.positions += verdict.positions
        self.direct += verdict.direct
        self.wrong += len(verdict.faults)

    def __str__(self) -> str:
        return (
            f"{self.refused + self.valid + self.crashes} mutants: {self.refused} refused, "
            f"{self.valid} still valid and obeyed, {self.crashes} crashes, "
            f"{self.positions - self.wrong} of {self.positions} positions right: {self.direct} at "
            f"the mutated place, {self.positions - self.wrong - self.direct} at a key that it "
            "made wrong"
        )


def examine(made: Mutant, path: Path, count: Count) -> Verdict:
    """Judge a mutant; anything but a config or its problems is a mistake of nncli's."""
    arguments = " ".join(made.arguments)
    note(f"{made.what}, loaded as {made.kind} {arguments}\n{made.text}")
    try:
        verdict = judge(made, path)
    except Exception:
        count.crashes += 1
        raise
    count.add(verdict)
    assert not verdict.faults, "\n".join(verdict.faults)
    return verdict


@pytest.mark.parametrize(
    ("make", "what", "examples"),
    [(mutant, "files", MUTANTS), (set_mutant, "--set", MUTANTS // 3)],
)
def test_a_mutant_is_obeyed_or_refused_at_its_mistake(
    make: Callable[[Random], Mutant],
    what: str,
    examples: int,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    count = Count()

    @sampled(examples)
    @given(randoms)
    def every(random: Random) -> None:
        examine(make(random), tmp_path / "mutant.yaml", count)

    every()

    if ASKED in os.environ:
        with capsys.disabled():
            sys.stdout.write(f"\n{what}: {count}\n")


@sampled(MUTANTS // 5)
@given(randoms)
def test_what_is_mutated_was_right_before(
    tmp_path_factory: pytest.TempPathFactory, random: Random
) -> None:
    path = tmp_path_factory.getbasetemp() / "right.yaml"

    assert not examine(unchanged(random), path, Count()).refused


def of_files(number: int, tmp_path: Path) -> tuple[Mutant, list[str], bool]:
    """A mutant, the command line that checks it, and whether it is to be refused."""
    made = mutant(Random(number))
    path = tmp_path / "mutant.yaml"
    refused = judge(made, path).refused
    kind = [] if made.kind is None else ["--kind", made.kind]
    return made, ["config", "validate", str(path), *kind], refused


@pytest.mark.parametrize("number", range(10))
def test_the_command_says_what_the_library_finds(
    number: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, arguments, refused = of_files(number, tmp_path)

    code = main(arguments)

    output = "".join(capsys.readouterr())
    assert code == (ExitCode.USAGE if refused else ExitCode.DONE)
    assert "Traceback" not in output
    assert str(tmp_path / "mutant.yaml") in output.replace("\n", "")


@pytest.mark.parametrize("number", range(10, 15))
def test_the_command_gives_the_places_as_json(
    number: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made, arguments, refused = of_files(number, tmp_path)

    main([*arguments, "--json"])

    (row,) = json.loads(capsys.readouterr().out)["configs"]
    assert row["valid"] is not refused
    if refused:
        lines = made.text.splitlines()
        for problem in row["error"]["problems"]:
            assert problem["source"][-1]["text"] == lines[problem["line"] - 1]


@pytest.mark.parametrize("number", range(5))
def test_the_command_takes_a_mutant_of_set(
    number: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = set_mutant(Random(number))
    path = tmp_path / "mutant.yaml"
    refused = judge(made, path).refused
    given_ = [part for each in made.arguments for part in ("--set", each.removeprefix("--set "))]

    code = main(["config", "show", str(made.kind), "--config", str(path), *given_])

    assert code == (ExitCode.USAGE if refused else ExitCode.DONE)
    assert "Traceback" not in "".join(capsys.readouterr())
