"""The harness itself: what it calls equal, its medians and its tables. It measures nothing here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nncli.config import Override, load
from nncli.schema import SCHEMAS

ROOT = Path(__file__).parent.parent
BENCHMARKS = ROOT / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))  # its scripts find each other like that

import compare  # noqa: E402
import growth  # noqa: E402
import jobs  # noqa: E402
import made  # noqa: E402
import measure  # noqa: E402
import outcome  # noqa: E402
import sides  # noqa: E402
import soak  # noqa: E402
import table  # noqa: E402

TRAININGS = [job for job in jobs.JOBS if isinstance(job, jobs.Training)]
CNN = next(job for job in TRAININGS if job.name == "cnn")
EQUAL = outcome.Outcome(
    samples=(100, 20),
    parameters=7,
    seconds=(2.0, 1.0, 1.2),
    figures={"loss": (1.0, 0.6, 0.5), "accuracy": (0.5, 0.7, 0.8), "val_accuracy": (0.6, 0.7, 0.8)},
)


def changed(**figures: tuple[float, ...]) -> outcome.Outcome:
    return replace(EQUAL, figures={**EQUAL.figures, **figures})


def used(wall: float, memory: float = 100.0, output: str = "") -> measure.Used:
    return measure.Used(wall, cpu=2 * wall, memory=memory, output=output)


# what is equal


def test_equal_work_is_equal() -> None:
    assert outcome.differences(CNN, 3, EQUAL, EQUAL) == []
    near = changed(loss=(9.0, 9.0, 0.5 * (1 - 0.9 * CNN.loss_within)))
    assert outcome.differences(CNN, 3, EQUAL, near) == [], "the order of the samples differs"


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (replace(EQUAL, samples=(99, 20)), "samples"),
        (replace(EQUAL, parameters=8), "parameters"),
        (changed(loss=(1.0, 0.5)), "epochs: 2 instead of 3"),
        (changed(val_loss=(1.0, 1.0, 1.0)), "figures"),
        (changed(loss=(1.0, 0.6, 0.5 * (1 - 1.1 * CNN.loss_within))), "last loss"),
        (changed(loss=(1.0, 0.6, float("nan"))), "last loss"),
        (changed(accuracy=(0.5, 0.7, 0.8 - 1.1 * CNN.accuracy_within)), "last accuracy"),
        (changed(val_accuracy=(0.6, 0.7, 0.8 + 1.1 * CNN.accuracy_within)), "last val_accuracy"),
    ],
)
def test_other_work_is_named(other: outcome.Outcome, told: str) -> None:
    (found,) = outcome.differences(CNN, 3, EQUAL, other)
    assert told in found


def test_in_order_every_epoch_counts() -> None:
    other = changed(loss=(1.0, 0.6001, 0.5))
    assert outcome.differences(CNN, 3, EQUAL, other) == []
    (found,) = outcome.differences_in_order(CNN, 3, EQUAL, other)
    assert found.startswith("epoch 2: training loss 0.6001 instead of 0.6")


def test_pytorch_need_only_learn_as_much_on_the_same_samples() -> None:
    learned = replace(changed(loss=(1.0, 0.6, CNN.torch_loss)), parameters=9)
    assert outcome.differences_of_torch(CNN, 3, EQUAL, learned) == []
    lazy = changed(loss=(1.0, 0.6, CNN.torch_loss * 1.01))
    assert len(outcome.differences_of_torch(CNN, 3, EQUAL, lazy)) == 1
    shorter = replace(changed(loss=(CNN.torch_loss,)), samples=(1, 1))
    assert len(outcome.differences_of_torch(CNN, 3, EQUAL, shorter)) == 2


def test_the_plain_script_tells_its_result_in_its_last_line() -> None:
    line = '{"samples": [3, 1], "parameters": 5, "seconds": [1.5], "loss": [2], "other": [0]}'
    result = outcome.told(f"Epoch 1/1\r 10/10\n{line}\n")
    assert (result.samples, result.parameters, result.seconds) == ((3, 1), 5, (1.5,))
    assert result.figures == {"loss": (2,)}
    for output in ("", "Epoch 1/1\n", '{"loss": [1]}\n'):
        with pytest.raises(measure.CommandError, match="told no result"):
            outcome.told(output)


def test_nncli_tells_its_result_in_its_run_folder(tmp_path: Path) -> None:
    folder = tmp_path / "outputs" / "rnn" / "rnn-sine-001"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text('{"data": {"samples": {"train": 1, "test": 1}}}')
    (folder / "metrics.json").write_text('{"parameters": 1121}')
    (folder / "history.csv").write_text("epoch,loss,seconds\n1,0.5,2.5\n2,0.25,0.5\n")
    assert outcome.stored(tmp_path) == outcome.Outcome(
        samples=(1, 0), parameters=1121, seconds=(2.5, 0.5), figures={"loss": (0.5, 0.25)}
    )
    with pytest.raises(measure.CommandError, match="0 runs"):
        outcome.stored(tmp_path / "elsewhere")


def test_a_picture_that_is_missing_or_empty_is_found(tmp_path: Path) -> None:
    relu = next(job for job in jobs.JOBS if job.picture)
    assert outcome.unsaid(relu, tmp_path, "saved relu.png", ours=True)
    (tmp_path / "relu.png").write_bytes(b"\x89PNG")
    assert outcome.unsaid(relu, tmp_path, "saved relu.png", ours=True)
    (tmp_path / "relu.png").write_bytes(b"\x89PNG" + bytes(outcome.SMALLEST_PICTURE))
    assert outcome.unsaid(relu, tmp_path, "saved relu.png", ours=True) == []


# the whole harness, with processes that are not started


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What each side comes to; nothing is written or started."""
    results: dict[str, Any] = {"calls": [], sides.PLAIN: EQUAL, sides.NNCLI: EQUAL}

    def take_turn(_job: jobs.Job, side: sides.Side, epochs: int, _made: Path) -> sides.Turn:
        results["calls"].append((side.name, epochs))
        return sides.Turn(used(1.0 if side.name == sides.NNCLI else 4.0), results[side.name])

    monkeypatch.setattr(sides, "take_turn", take_turn)
    monkeypatch.setattr(compare, "take_turn", take_turn)
    monkeypatch.setattr(compare, "make", lambda *_: None)
    monkeypatch.setattr(sides, "has_cache", lambda: False)
    monkeypatch.setattr(sides, "has_torch", lambda: False)
    return results


def test_rounds_alternate_and_warm_up_first(
    played: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare.main(["--jobs", "cnn", "--pairs", "2"]) == 0
    plain, ours = sides.PLAIN, sides.NNCLI
    warm = [(plain, 1), (ours, 1)]
    assert played["calls"] == [*warm, (plain, 3), (ours, 3), (ours, 3), (plain, 3)]
    printed = capsys.readouterr().out
    assert "| cnn | nncli |    4.00 | 1.00 |  0.25 |   0.80 |" in printed
    assert "FAILED" not in printed


def test_unequal_results_fail(played: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    played[sides.NNCLI] = changed(loss=(1.0, 0.6, 0.1))
    assert compare.main(["--jobs", "cnn", "--pairs", "1"]) == 1
    assert "FAILED: cnn, nncli: last loss: 0.1 instead of 0.5" in capsys.readouterr().out
    assert compare.main(["--jobs", "cnn", "--same-order"]) == 1


def test_unequal_results_are_not_written(
    played: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    readme = tmp_path / "README.md"
    text = f"before {table.BEGIN} old {table.END} after"
    readme.write_text(text)
    monkeypatch.setattr(compare, "README", readme)
    monkeypatch.setattr(compare, "JOBS", (CNN,))
    played[sides.NNCLI] = changed(loss=(1.0, 0.6, 0.1))
    assert compare.main(["--write"]) == 1
    assert readme.read_text() == text
    played[sides.NNCLI] = EQUAL
    assert compare.main(["--write"]) == 0
    written = readme.read_text()
    assert written.startswith(f"before {table.BEGIN}\n\n`python benchmarks/compare.py --write`")
    assert written.endswith(f"|\n\n{table.END} after")
    assert " old " not in written


def test_rows_of_some_jobs_are_written_among_the_others(
    played: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = replace(CNN, name="other")
    readme = tmp_path / "README.md"
    readme.write_text(f"{table.BEGIN}{table.END}")
    monkeypatch.setattr(compare, "README", readme)
    monkeypatch.setattr(compare, "JOBS", (CNN, other))
    assert compare.main(["--write"]) == 0
    first = readme.read_text()
    assert compare.main(["--write", "--jobs", "cnn", "--pairs", "1"]) == 0
    second = readme.read_text()
    for columns in (table.WHOLE, table.EPOCHS):
        assert [row[0] for row in table.rows_of(second, columns)] == ["cnn", "other"]
        assert table.rows_of(second, columns)[1] == table.rows_of(first, columns)[1]
    told = [line.partition(",")[0] for line in second.splitlines() if line.startswith("`python")]
    assert told == [
        "`python benchmarks/compare.py --write`",
        "`python benchmarks/compare.py --write --jobs cnn --pairs 1`",
    ]
    assert compare.main(["--write", "--jobs", "cnn", "--pairs", "1"]) == 0
    assert readme.read_text() == second
    assert compare.main(["--write"]) == 0
    assert readme.read_text() == first


def test_a_failed_command_does_not_end_the_other_jobs(
    played: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = replace(CNN, name="other")
    monkeypatch.setattr(compare, "JOBS", (CNN, other))

    def fail_once(job: jobs.Job, *rest: Any) -> Any:
        if job is CNN:
            raise measure.CommandError("it broke")
        return sides.Turn(used(1.0), EQUAL)

    monkeypatch.setattr(sides, "take_turn", fail_once)
    assert compare.main(["--pairs", "1"]) == 1
    printed = capsys.readouterr().out
    assert "FAILED: it broke" in printed
    assert "| other | nncli |" in printed


@pytest.mark.parametrize(
    "arguments", [["--jobs", "nn"], ["--pairs", "0"], ["--write", "--same-order"]]
)
def test_what_makes_no_sense_is_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        compare.main(arguments)
    assert refused.value.code


# many runs into one folder


def soaked(root: Path, count: int) -> soak.Place:
    """Runs as they are when all went well."""
    place = soak.Place(root)
    for number in range(1, count + 1):
        folder = place.outputs / "rnn" / f"rnn-sine-{number:03}"
        folder.mkdir(parents=True)
        (folder / "run.json").write_text('{"status": "finished"}')
        (folder / "metrics.json").write_text('{"kind": "rnn", "task": "forecast"}')
    assert set(place.environment) >= {"TMPDIR", "NNCLI_CACHE"}
    return place


def test_runs_that_are_not_as_the_others_are_named(tmp_path: Path) -> None:
    place = soaked(tmp_path, 9)
    outputs = place.outputs
    assert soak.unlisted(outputs, 9) == soak.left_over(place) == []
    (outputs / "rnn" / "rnn-sine-002" / "run.json").write_text('{"status": "running"}')
    (outputs / "rnn" / "rnn-sine-003" / "metrics.json").write_text(
        '{"kind": "rnn", "task": "forecast", "epochs": 3}'
    )
    (outputs / "rnn" / "rnn-sine-004" / "curves.png").touch()
    (outputs / "rnn" / "rnn-sine-005" / "model.keras").touch()
    (outputs / "rnn" / "rnn-sine-009").rename(outputs / "rnn" / "rnn-sine-010")
    assert soak.unlisted(outputs, 9) == [
        "rnn-sine-009 is missing",
        "rnn-sine-010 is too many",
        "rnn-sine-002 is cut off",
        "the runs have 2 different metrics.json",
        "the runs have 3 different sets of files",
    ]


def test_what_is_left_over_is_named(tmp_path: Path) -> None:
    place = soaked(tmp_path, 1)
    (place.outputs / "rnn" / "rnn-sine-001" / ".model.7.part.keras").touch()
    (tmp_path / "temporary" / "matplotlib-x").mkdir()
    assert soak.left_over(place) == [
        "temporary/matplotlib-x is left over",
        "outputs/rnn/rnn-sine-001/.model.7.part.keras is left over",
    ]


def test_memory_that_grows_is_told() -> None:
    flat, grown = [used(1.0, 600.0)] * 20, [used(1.0, 600.0 + 10 * n) for n in range(20)]
    level = [500.0, 550.0, *[600.0] * 8]
    assert soak.grown(soak.Soak(flat, [], [], level)) == []
    rising = [600.0 + 2 * soak.EACH * n for n in range(10)]
    assert soak.grown(soak.Soak(grown, [], [], rising)) == [
        "the last runs take 745 MB, the first 645 MB",
        f"each run within one process adds {2 * soak.EACH:.1f} MB",
    ]


# numbers and tables


def test_the_ratio_is_that_of_rounds() -> None:
    # a round on a machine that was twice as slow counts as much as the others
    assert measure.median_ratio([1.0, 8.0, 3.0], [2.0, 16.0, 10.0]) == 0.5
    with pytest.raises(ValueError, match="zip"):
        measure.median_ratio([1.0], [1.0, 2.0])


def test_a_missed_target_is_marked() -> None:
    assert table.against(0.8, 0.8) == ("0.80", "0.80")
    assert table.against(0.81, 0.8) == ("0.81 !", "0.80")
    assert table.against(5.0, None) == ("5.00", "")


def test_a_row_has_the_rounds_own_ratios() -> None:
    plain = [sides.Turn(used(4.0, 100), EQUAL), sides.Turn(used(8.0, 100), EQUAL)]
    ours = [sides.Turn(used(1.0, 120), EQUAL), sides.Turn(used(4.0, 120), EQUAL)]
    cells = dict(zip(table.WHOLE, table.whole_row(CNN, sides.NNCLI, plain, ours), strict=True))
    assert (cells["plain s"], cells["s"], cells["ratio"]) == ("6.00", "2.50", "0.38")
    assert (cells["memory"], cells["MB"]) == ("1.20 !", "120")
    epochs = table.epochs_row(CNN, sides.NNCLI, plain, ours)
    assert epochs[2:4] == ["1.10", "1.10"], "the first epoch does not count"
    assert epochs[6:] == ["0.5000", "0.5000", "0.8000", "0.8000"]


@pytest.mark.parametrize(
    ("number", "text"), [(0.0123, "0.012"), (1.234, "1.23"), (12.34, "12.3"), (104.2, "104.2")]
)
def test_seconds_have_three_digits(number: float, text: str) -> None:
    assert table.seconds(number) == text


def test_a_table_is_markdown_in_columns() -> None:
    assert table.table(("job", "s"), [["a", "10.0"], ["longer", "2"]], texts=1).split("\n") == [
        "| job    |    s |",
        "|--------|-----:|",
        "| a      | 10.0 |",
        "| longer |    2 |",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        table.BEGIN,
        f"{table.END}{table.BEGIN}",
        f"{table.BEGIN}{table.END}{table.END}",
        f"{table.BEGIN}{table.BEGIN}{table.END}",
    ],
)
def test_marks_that_are_not_there_once_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="needs once"):
        table.placed(text, "new")


def test_the_readme_has_its_marks() -> None:
    text = (BENCHMARKS / "README.md").read_text(encoding="utf-8")
    once = table.placed(text, "new")
    assert table.placed(once, "new") == once
    assert "\n\nnew\n\n" in once


def test_what_an_epoch_and_1_000_images_add() -> None:
    job = growth.job_named("cnn")

    def cost(images: int, epochs: int, wall: tuple[float, float], memory: float) -> growth.Cost:
        return growth.Cost(
            growth.Point(job, images, epochs), wall, (memory, memory / 2), (1.0, 1.0)
        )

    first, more = cost(1_000, 1, (5.0, 4.0), 500.0), cost(5_000, 1, (9.0, 6.0), 900.0)
    assert growth.added(first, more) == [
        ["cnn", "seconds per 1,000 images", "1.000", "0.500", "0.50"],
        ["cnn", "MB per 1,000 images", "100.000", "50.000", "0.50"],
    ]
    longer = cost(1_000, 101, (15.0, 5.0), 500.0)
    assert growth.added(first, longer) == [
        ["cnn", "milliseconds per epoch", "100.000", "10.000", "0.10"]
    ]


# the jobs


@pytest.mark.parametrize("job", jobs.JOBS, ids=lambda job: job.name)
def test_the_scripts_of_a_job_are_there(job: jobs.Job) -> None:
    assert (BENCHMARKS / "plain" / job.plain[0]).is_file()
    if isinstance(job, jobs.Training):
        assert not job.torch or (BENCHMARKS / "pytorch" / job.torch[0]).is_file()
        files = {*job.made, *([job.fewer] if job.fewer else [])}
        assert files <= set(made.FILES)


def test_no_script_is_without_a_job() -> None:
    helpers = {"clock.py", "epochs.py", "images.py"}
    named = {job.plain[0] for job in jobs.JOBS}
    assert {path.name for path in (BENCHMARKS / "plain").glob("*.py")} - helpers == named
    named = {job.torch[0] for job in TRAININGS if job.torch}
    assert {path.name for path in (BENCHMARKS / "pytorch").glob("*.py")} - helpers == named


@pytest.mark.parametrize(
    "job",
    [*TRAININGS, *(point.job for series in growth.points() for point in series)],
    ids=lambda job: f"{job.name} {' '.join(job.made)}",
)
@pytest.mark.parametrize("in_order", [False, True])
def test_nncli_takes_the_arguments_of_a_training(
    job: jobs.Training, in_order: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sides, "has_cache", lambda: False)
    for file in job.made:
        (tmp_path / file).write_bytes(b"")
    command = sides.sides(job, in_order=in_order)[1].command[1:]
    words = iter(each.format(made=tmp_path, epochs=5) for each in command)
    assert next(words) == "train"
    kind = next(words)
    given = []
    for option, value in zip(words, words, strict=True):
        if option == "--data":
            given += [Override.from_option("data.source", option, "npz")]
            given += [Override.from_option("data.path", option, value)]
        elif option == "--epochs":
            given.append(Override.from_option("training.epochs", option, value))
        else:
            assert option == "--set"
            given.append(Override.from_set(value))
    config = load(SCHEMAS, kind, None, given).config
    assert config.training.epochs == 5
    assert config.training.batch_size == (1 if kind == "rnn" else 32), "as in the plain scripts"
    assert config.training.early_stopping is None
    assert config.training.shuffle is not in_order
    assert (config.training.optimizer, config.training.learning_rate) == ("adam", 0.001)
    assert getattr(config.model, "compare", ()) == (), "nothing is trained beside it"


def test_another_file_is_named_everywhere() -> None:
    job = next(job for job in TRAININGS if job.name == "vgg16").on("few.npz")
    assert job.made == ("few.npz", "vgg16.weights.h5")
    for arguments in (job.nncli, job.plain, job.torch):
        assert "{made}/few.npz" in arguments
        assert "{made}/vgg16.npz" not in arguments
        assert any("vgg16.weights." in each for each in arguments)


# measuring a process


@pytest.mark.skipif(not hasattr(os, "wait4"), reason="the harness needs a Unix")
class TestProcess:
    def measured(self, code: str, folder: Path) -> dict[str, Any]:
        """What the harness finds, in a process of its own: the one of the tests is large."""
        asking = (
            "import dataclasses, json, os, sys; from pathlib import Path; import measure; "
            "measure.GRACE = 0.1\n"
            "try: print(json.dumps(dataclasses.asdict(measure.run("
            "[sys.executable, '-S', '-c', sys.argv[1]], Path(sys.argv[2]), dict(os.environ)))))\n"
            "except measure.CommandError as error: print(json.dumps({'error': str(error)}))"
        )
        done = subprocess.run(
            [sys.executable, "-S", "-c", asking, code, str(folder)],
            env={**os.environ, "PYTHONPATH": str(BENCHMARKS)},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return dict(json.loads(done.stdout))

    def test_what_it_says_and_takes(self, tmp_path: Path) -> None:
        held = self.measured("print(len(bytearray(80_000_000)))", tmp_path / "new")
        assert held["output"] == "80000000\n"
        assert 80 < held["memory"] < 120
        assert held["cpu"] > 0
        assert held["wall"] > 0

    def test_one_that_fails_is_told(self, tmp_path: Path) -> None:
        found = self.measured("import sys; sys.stderr.write('why'); sys.exit(3)", tmp_path)
        assert found["error"].endswith("ended with 3\nwhy")

    @pytest.mark.skipif(not measure.PROCESSES.is_dir(), reason="needs /proc")
    def test_its_children_count(self, tmp_path: Path) -> None:
        child = "import time; held = bytearray(60_000_000); time.sleep(0.4)"
        parent = (
            "import subprocess, sys; held = bytearray(60_000_000); "
            f"subprocess.run([sys.executable, '-S', '-c', {child!r}], check=True)"
        )
        assert 120 < self.measured(parent, tmp_path)["memory"] < 200

    @pytest.mark.skipif(not measure.PROCESSES.is_dir(), reason="needs /proc")
    def test_one_that_leaves_work_behind_is_refused(self, tmp_path: Path) -> None:
        code = (
            "import subprocess, sys; subprocess.Popen([sys.executable, '-S', '-c', "
            "'import time; time.sleep(60)'])"
        )
        assert "left 1 process" in self.measured(code, tmp_path)["error"]


def test_the_harness_is_small_itself() -> None:
    """A process begins as a copy of the one that starts it: its size would be in every peak."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import compare, growth, soak; "
        "print([name for name in ('numpy', 'nncli', 'rich', 'keras') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(BENCHMARKS)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
