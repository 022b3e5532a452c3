from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from nncli.report import training as lines
from nncli.report.run import RunReport
from nncli.results import Advice, EpochRecord, FailedFigure, LayerRow, Result, SavedFigure
from tests.plots.runs import stored

CLASSIFIED: dict[str, Any] = {
    "stopped": "finished",
    "best_epoch": 13,
    "epochs": 16,
    "train": {"loss": 0.3, "accuracy": 0.99},
    "validation": {"loss": 0.65871, "accuracy": 0.882},
    "test": {"samples": 1000, "accuracy": 0.95, "accuracy_interval_95": [0.93, 0.96]},
    "baselines": [],
}
FORECASTED: dict[str, Any] = {
    "stopped": "finished",
    "best_epoch": 30,
    "epochs": 30,
    "train": {"loss": 0.0103, "mean_absolute_error": 0.09},
    "validation": {},
    "test": {
        "samples": 20,
        "mean_absolute_error": 0.08,
        "persistence_mean_absolute_error": 0.1,
        "unit": "sin(t)",
    },
    "baselines": [],
}


def printed(metrics: dict[str, Any], *, width: int = 80, terminal: bool = False) -> str:
    stream = io.StringIO()
    screen = Console(file=stream, width=width, color_system=None, force_terminal=terminal)
    lines.print_reached(screen, metrics, 22.61)
    return stream.getvalue()


def forecast(error: float, naive: float) -> str:
    test = {
        **FORECASTED["test"],
        "mean_absolute_error": error,
        "persistence_mean_absolute_error": naive,
    }
    return lines.reached({**FORECASTED, "test": test})[1]


def test_a_classifier() -> None:
    assert lines.reached(CLASSIFIED) == [
        "best epoch 13 of 16: validation loss 0.6587 · validation accuracy 88.2%",
        "test accuracy 95.0% (950 of 1,000; 95% interval 93.0% to 96.0%)",
    ]


def test_a_forecaster_without_validation() -> None:
    first, second = lines.reached(FORECASTED)
    assert first == "best epoch 30 of 30: training loss 0.0103"
    assert second == (
        "test error 0.0800 in sin(t), one step ahead (mean absolute): "
        "20% below repeating the last value (0.1000)"
    )


def test_a_forecaster_beside_repeating_the_last_value() -> None:
    assert "50% above repeating the last value (0.1000)" in forecast(0.15, 0.1)
    assert "as good as repeating the last value" in forecast(0.1, 0.1)
    assert "as good as repeating the last value" in forecast(0.10001, 0.1)
    assert "repeating" not in forecast(0.1, 0.0)
    assert "1.50e-05" in forecast(1.5e-5, 1e-5)


def test_baselines() -> None:
    baselines = [
        {"meaning": "from scratch", "metrics": {"accuracy": accuracy}, "failed": ""}
        for accuracy in (0.825, 0.975, 0.9500001)
    ]
    baselines.append({"meaning": "from scratch", "metrics": {}, "failed": "no memory"})
    better, worse, equal, failed = lines.reached({**CLASSIFIED, "baselines": baselines})[2:]
    assert failed == "from scratch: failed, no memory"
    assert better == "from scratch: test accuracy 82.5%, transfer is 12.5 points better"
    assert worse == "from scratch: test accuracy 97.5%, transfer is 2.5 points worse"
    assert equal == "from scratch: test accuracy 95.0%, transfer is as good"


def test_the_first_finding_carries_the_mark() -> None:
    text = printed(CLASSIFIED)
    assert text.startswith("✓ best epoch 13")
    assert text.count("✓") == 1
    assert "  trained in 22.6s\n" in text
    assert printed({**CLASSIFIED, "stopped": "diverged"}).startswith("! best epoch 13")


def test_early_stopping_is_told() -> None:
    assert "trained in 22.6s, stopped early after epoch 16" in printed(
        {**CLASSIFIED, "stopped": "early stopping"}
    )


def test_long_sentences_are_one_line_in_a_pipe_and_wrapped_on_a_terminal() -> None:
    assert any(len(line) > 60 for line in printed(CLASSIFIED, width=40).splitlines())
    wrapped = printed(CLASSIFIED, width=40, terminal=True).splitlines()
    assert max(map(len, wrapped)) <= 40
    assert all(line.startswith(("✓ ", "  ")) for line in wrapped)
    joined = " ".join(line.strip() for line in wrapped)
    assert "validation accuracy 88.2%" in joined


def test_the_header() -> None:
    folder = Path("/somewhere/else/outputs/cnn/cnn-digits-001")
    facts = ["digits", "1,168 train", "seed 42", "CPU"]
    stream = io.StringIO()
    lines.print_header(Console(file=stream, width=40), "nncli train cnn", facts, folder)
    line = "nncli train cnn  digits · 1,168 train · seed 42 · CPU"
    assert stream.getvalue() == f"{line} → {folder}\n"
    stream = io.StringIO()
    screen = Console(file=stream, width=60, force_terminal=True, color_system=None)
    lines.print_header(screen, "nncli train cnn", facts, folder)
    assert stream.getvalue().splitlines() == [line, f"→ {folder}"]


def test_the_files_and_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "history.csv").touch()
    stream = io.StringIO()
    screen = Console(file=stream, width=200)
    lines.print_files(screen, tmp_path, {"curves.png": "[red]loss[/x]"})
    text = stream.getvalue()
    assert str(tmp_path) in text
    assert "[red]loss[/x]" in text
    assert "history.csv" in text
    assert "model.keras" not in text


RUN = stored(metrics=CLASSIFIED, run={"seconds": {"train": 22.6}})


def pictures(folder: Path) -> list[SavedFigure | FailedFigure]:
    return [SavedFigure("curves", folder / "curves.png", "finding", "loss")]


def test_quiet_prints_the_results_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = RunReport("nncli train cnn", quiet=True, as_json=False)
    report.begin((), ["digits"], ["a note"], tmp_path)
    with report:
        report.listener.epoch(EpochRecord("train", 1, {"loss": 1.0}, 0.1, 0.1, True), 1)
    failed = FailedFigure("forecast", "no font")
    report.end(tmp_path, RUN, [*pictures(tmp_path), failed], [Advice("high", "advice", "x")], {})
    captured = capsys.readouterr()
    assert captured.out.splitlines() == [f"✓ {lines.reached(CLASSIFIED)[0]}"] + [
        f"  {line}" for line in lines.reached(CLASSIFIED)[1:]
    ]
    assert captured.err == "warning: forecast could not be drawn: no font\n"


def test_json_prints_one_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = RunReport("nncli train cnn", quiet=False, as_json=True)
    layers = (LayerRow("dense", "Dense", "", (10,), 30, 30, "dense", frozen=False),)
    report.begin(layers, ["digits"], ["a note"], tmp_path)
    page = SavedFigure("report", tmp_path / "report.html", "finding", "all of it")
    report.end(tmp_path, RUN, [*pictures(tmp_path), page], [Advice("high", "[/x]", "x")], {})
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert document["schema_version"] == 1
    assert document["metrics"] == CLASSIFIED
    assert document["run"] == str(tmp_path)
    assert document["advice"] == [{"code": "high", "text": "[/x]", "source": "x"}]
    assert document["figures"] == ["curves.png"]
    assert document["report"] == "report.html"
    assert "note: a note" in captured.err
    assert "Total params: 30" in captured.err


def test_advice_stands_below_the_results(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = RunReport("nncli train cnn", quiet=False, as_json=False)
    advice = [Advice("a", "the loss [/x] rises", "x"), Advice("b", "the test part is small", "x")]
    report.end(tmp_path, RUN, pictures(tmp_path), advice, {})
    said = capsys.readouterr().out.splitlines()
    position = said.index("  trained in 22.6s")
    assert said[position + 1 : position + 3] == [f"  {each.text}" for each in advice]


def test_the_page_is_listed_with_how_to_open_it(tmp_path: Path) -> None:
    folder = tmp_path / "my run"
    folder.mkdir()
    (folder / "report.html").touch()
    stream = io.StringIO()
    lines.print_files(Console(file=stream, width=300), folder, {})
    assert f"nncli report '{folder}' --open" in stream.getvalue()


def test_a_reader_that_has_left_hears_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = Result("cnn", "classification", "loss", (), 0, "interrupted", {}, (), exit_code=141)
    RunReport("nncli train cnn", quiet=False, as_json=False).interrupted(tmp_path, result)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("as_json", [False, True])
def test_an_interruption_says_what_is_kept(
    as_json: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = EpochRecord("train", 1, {"loss": 1.0}, 0.1, 0.1, True)
    result = Result("cnn", "classification", "loss", (record,), 1, "interrupted", {}, ())
    RunReport("nncli train cnn", quiet=False, as_json=as_json).interrupted(tmp_path, result)
    captured = capsys.readouterr()
    said = f"interrupted after 1 finished epoch; the best of them is in {tmp_path}\n"
    assert captured.err == said
    assert (json.loads(captured.out)["stopped"] == "interrupted") if as_json else not captured.out
