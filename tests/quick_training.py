"""A training of a second or two without TensorFlow, for the tests of the terminal."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from nncli import process
from nncli.errors import Interrupted
from nncli.listener import PhaseStart
from nncli.report.run import RunReport
from nncli.results import Advice, EpochRecord, LayerRow, SavedFigure, StoredRun

LAYERS = (
    LayerRow("input", "Input", "", (28, 28, 1), 0, 0, "input", frozen=False),
    LayerRow(
        "conv2d", "Conv2D", "32 filters 3×3 · relu", (26, 26, 32), 320, 320, "convolution", False
    ),
    LayerRow("vgg16", "VGG16", "19 layers inside", (2, 2, 512), 14_714_688, 0, "base", True),
    LayerRow(
        "pool", "GlobalAveragePooling2D", "mean of each map", (512,), 0, 0, "pooling", frozen=False
    ),
    LayerRow("dense", "Dense", "10 units · softmax", (10,), 2570, 2570, "dense", frozen=False),
)
FACTS = ["digits", "1,168 train, 270 validation, 359 test", "seed 42", "CPU"]
NOTES = ["8 × 8 pixels enlarged to 28 × 28, which is more than a line of 40 columns holds"]
METRICS = {
    "stopped": "finished",
    "best_epoch": 8,
    "epochs": 8,
    "validation": {"loss": 0.1234, "accuracy": 0.97},
    "test": {"samples": 359, "accuracy": 0.983, "accuracy_interval_95": [0.964, 0.992]},
    "baselines": [],
}
STORED = StoredRun(
    name="cnn-digits-001",
    kind="cnn",
    task="classification",
    config={},
    run={"seconds": {"train": 2.0}},
    data={},
    metrics=METRICS,
    history=(),
    layers=LAYERS,
)
ADVICE = [
    Advice(
        "overfitting", "the validation loss rises since epoch 5: --set training.epochs=5", "a book"
    )
]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--pause", type=float, default=0.02)
    parser.add_argument("--phases", type=int, default=1)
    parser.add_argument("--wait", type=Path, help="in epoch 4, until this file is there")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--hold", action="store_true")
    options = parser.parse_args()
    process.make_streams_safe()
    process.catch_signals()
    report = RunReport("nncli train cnn", quiet=False, as_json=options.json)
    try:
        with (
            report,
            process.borrowed_terminal(report.give_back_terminal, report.take_terminal),
        ):
            if options.hold:
                with process.hold_signals():
                    report.listener.status("holding")
                    time.sleep(60)
            train(report, options)
    except Interrupted as signal:
        sys.stderr.write("interrupted\n")
        return signal.exit_code
    return 0


def train(report: RunReport, options: argparse.Namespace) -> None:
    listener = report.listener
    listener.status("reading digits")
    time.sleep(0.25)
    report.begin(LAYERS, FACTS, NOTES, Path("outputs/cnn/cnn-digits-001"))
    extracting = "extracting the features of 1,438 images with the frozen base"
    listener.status(extracting, takes_long=True)
    time.sleep(0.25)
    for phase, name in enumerate(("head", "fine_tune")[: options.phases], 1):
        monitor = "val_loss"
        name = name if options.phases > 1 else "train"
        listener.phase(
            PhaseStart(
                name, options.epochs, options.steps, monitor, "accuracy", phase, options.phases
            )
        )
        for epoch in range(1, options.epochs + 1):
            for step in range(options.steps):
                listener.step(step)
                time.sleep(options.pause)
                while options.wait and epoch == 4 and step == 2 and not options.wait.exists():
                    time.sleep(0.02)
            figures = {
                "loss": 2.5 / epoch,
                "accuracy": 1 - 0.8 / epoch,
                "val_loss": 3 / epoch + (0.2 * (epoch - 5) if epoch > 5 else 0),
                "val_accuracy": 1.0 if epoch == options.epochs else 1 - 0.9 / epoch,
            }
            record = EpochRecord(name, epoch, figures, 0.001, options.pause * 5, epoch < 6)
            listener.epoch(record, epoch)
    listener.status("drawing the pictures")
    time.sleep(0.25)
    folder = Path("outputs/cnn/cnn-digits-001")
    picture = SavedFigure(
        "curves", folder / "curves.png", "finding", "loss and main metric by epoch"
    )
    report.end(folder, STORED, [picture], ADVICE, {})


if __name__ == "__main__":
    sys.exit(main())
