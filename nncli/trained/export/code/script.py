"""The text of a script, part by part from top to bottom."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from nncli import backend, data
from nncli.models.kind import LOSSES, METRICS
from nncli.models.transfer import (
    SETTLING_PIXELS,
    SETTLING_SAMPLES,
    SETTLING_VALUES,
    TransferConfig,
    TransferSettings,
)
from nncli.results import section
from nncli.trained.export.code import BASE, SAMPLES
from nncli.trained.export.code.layers import WIDTH, called, layer_code, listed, plain, quoted
from nncli.trained.export.format import Material
from nncli.training.loop import monitor_of
from nncli.training.optimizer import OPTIMIZERS

if TYPE_CHECKING:
    from nncli.data.dataset import Dataset
    from nncli.models.kind import KindConfig


class Script:
    """The text of a script, part by part from top to bottom."""

    def __init__(self, material: Material, stem: str) -> None:
        opened = material.opened
        assert material.dataset is not None
        self.stem, self.opened, self.dataset = stem, opened, material.dataset
        self.model, self.learned = material.trained, opened.learned
        self.config: KindConfig = opened.config
        self.transfer = self.config if isinstance(self.config, TransferConfig) else None
        self.before = self._before(self.transfer)
        self.has_file = self.dataset.name != "sine"
        self.task = opened.stored.task
        self.precision = self.config.training.precision

    @property
    def base_file(self) -> str:
        """The name of the saved base beside it; empty where there is none."""
        saved = self.transfer is not None and isinstance(self.settings.base, Path)
        return f"{self.stem}{BASE}" if saved else ""

    @property
    def settings(self) -> TransferSettings:
        """The model section of a transfer."""
        assert isinstance(self.config.model, TransferSettings)
        return self.config.model

    def _before(self, config: TransferConfig | None) -> Dataset | None:
        """The samples of the pretraining."""
        if config is None or config.pretraining is None:
            return None
        return data.load(config.pretraining.data, config.seed)

    @property
    def one_hot(self) -> bool:
        """Whether the loss wants a row of zeros and a one for each class number."""
        return self.task == "classification" and self.opened.stored.kind != "cnn"

    @property
    def balanced(self) -> bool:
        """Whether rare classes count more."""
        return self.config.training.class_weight == "balanced"

    def text(self) -> str:
        """The whole script."""
        parts = [
            self._head(),
            self._constants(),
            self._load(),
            self._prepare(),
            *self._build(),
            self._batches(),
            self._train(),
            self._settle(),
            self._main(),
            ['if __name__ == "__main__":', "    main()"],
        ]
        first, second, *rest = ["\n".join(part) for part in parts if part]
        return "\n\n".join([first, second]) + "\n\n\n" + "\n\n\n".join(rest) + "\n"

    def _head(self) -> list[str]:
        name = plain(self.opened.stored.name)
        test = section(self.opened.stored.metrics, "test")
        reached = ""
        if "accuracy" in test:
            reached = f" It reached a test accuracy of {test['accuracy']:.1%}."
        elif "mean_absolute_error" in test:
            reached = f" Its test error was {test['mean_absolute_error']:.4g}."
        files = [f"{plain(self.stem)}{SAMPLES}"] if self.has_file else []
        files += [plain(self.base_file)] if self.base_file else []
        needs = "Needs keras, tensorflow and numpy"
        if files:
            needs += f", and beside it {' and '.join(files)}"
        imports = ["import keras", "import numpy as np"]
        if files:
            imports = ["from pathlib import Path", "", *imports]
        return [
            f'"""The model of the run {name}, built and trained in plain Keras.',
            "",
            *wrap(f"Written by nncli.{reached}", WIDTH),
            *wrap(f"{needs}.", WIDTH),
            '"""',
            "",
            *imports,
        ]

    def _constants(self) -> list[str]:
        training = self.config.training
        stopping = training.early_stopping
        lines = [f"SEED = {self.config.seed}"]
        if self.transfer is not None and self.transfer.pretraining is not None:
            lines += [
                f"PRETRAINING_EPOCHS = {self.transfer.pretraining.epochs}",
                f"PRETRAINING_RATE = {self.transfer.pretraining.learning_rate!r}",
            ]
        lines += [
            f"EPOCHS = {training.epochs}",
            f"LEARNING_RATE = {training.learning_rate!r}",
            f"BATCH_SIZE = {training.batch_size}",
            f"MONITOR = {quoted(self._monitor)}  # chooses the best epoch",
        ]
        if stopping is not None:
            lines.append(f"PATIENCE = {stopping.patience}  # epochs without a better one")
        if self.transfer is not None and self.settings.fine_tune is not None:
            fine = self.settings.fine_tune
            lines += [
                f"FINE_TUNED_LAYERS = {fine.layers}",
                f"FINE_TUNING_EPOCHS = {fine.epochs}",
                f"FINE_TUNING_RATE = {fine.learning_rate!r}",
            ]
        series = self.learned.series
        if self.learned.classes:
            lines += listed("CLASSES = [", [quoted(name) for name in self.learned.classes], "]")
        elif series is not None and series.scale != 1:
            lines.append(f"SCALE = {series.scale!r}  # one deviation, in {plain(series.name)}")
        return lines

    def _load(self) -> list[str]:
        if not self.has_file:
            return _SINE.format(**self.config.data.model_dump()).splitlines()
        series = self.learned.series
        what = "windows" if series is not None else "sequences"
        more = []
        if series is not None or self.learned.scaler is not None:
            more.append("They are scaled: (value - mean) / deviation of the training part.")
        if series is not None and series.change:
            more.append("What follows a window is told as the change from its last value.")
        if series is not None and series.relative:
            more.append("So are the values of the window.")
        if self.learned.is_images:
            what = "pixels from 0 to 255"
        return [
            "def load():",
            *_docstring(f"The {what} of the run, in its own parts.", more),
            '    with np.load(Path(__file__).with_suffix(".npz")) as arrays:',
            "        return dict(arrays)",
        ]

    def _prepare(self) -> list[str]:
        preparation = self.opened.preparation
        if preparation is None:
            return []
        how = preparation.preprocessing
        pixels = 'pixels.astype("float32")'
        lines = ["def prepare(pixels):", '    """Pixels from 0 to 255 as the model wants them."""']
        if preparation.repeats(self.learned.input_shape):
            lines.append("    pixels = np.repeat(pixels, 3, axis=-1)  # grey to three channels")
        if how == "unit":
            return [*lines, f"    return {pixels} / 255"]
        if how == "none":
            return [*lines, f"    return {pixels}"]
        return [*lines, f"    return keras.applications.{_room(how)}.preprocess_input({pixels})"]

    def _build(self) -> list[list[str]]:
        count = sum(layer.parameters for layer in self.opened.stored.layers)
        says = f'    """The model: {count:,} parameters."""'
        layers = list(self.model.layers)
        shape = tuple(self.model.input_shape[1:])
        if self.transfer is None:
            return [["def build():", says, *self._stack(shape, map(self._layer, layers))]]
        (base,) = [layer for layer in layers if hasattr(layer, "layers")]
        *below, _ = layers
        codes = ["base" if layer is base else self._layer(layer) for layer in below]
        codes.append(self._layer(layers[-1], units="classes"))
        given, loading = self._base(base, shape)
        head = [
            "def on_base(base, classes):",
            '    """A base, and above it what learns the answer."""',
            *self._stack(shape, codes),
        ]
        build = [
            f"def build({given}):",
            says,
            *loading,
            "    base.trainable = False",
            "    return on_base(base, len(CLASSES))",
        ]
        return [head, build]

    def _stack(
        self, shape: tuple[int, ...], codes: Iterable[str], begin: str = "return ", name: str = ""
    ) -> list[str]:
        """A Sequential of layers."""
        return [
            f"    {begin}keras.Sequential(",
            "        [",
            f"            keras.layers.Input({shape!r}),",
            *(f"            {line}" for code in codes for line in f"{code},".splitlines()),
            "        ]," if name else "        ]",
            *([f"        name={quoted(name)},"] if name else []),
            "    )",
        ]

    def _base(self, base: Any, shape: tuple[int, ...]) -> tuple[str, list[str]]:
        """What `build` takes, and the lines that make the base."""
        settings = self.settings
        weights = {"imagenet": '"imagenet"', "random": "None"}.get(
            str(settings.weights), repr(str(settings.weights))
        )
        if isinstance(settings.base, Path):
            load = f"keras.models.load_model(Path(__file__).with_name({quoted(self.base_file)}))"
            return "", [f"    base = {load}"]
        if settings.application is None:
            stack = self._stack(shape, map(self._layer, base.layers), "base = ", base.name)
            if isinstance(settings.weights, Path):
                loads = ["    if weights is not None:", "        base.load_weights(weights)"]
                return f"weights={weights}", [*stack, *loads]
            return "", stack
        alpha = [] if settings.alpha is None else [f"alpha={settings.alpha!r}"]
        words = ["include_top=False", "weights=weights", f"input_shape={shape!r}", *alpha]
        return f"weights={weights}", called(
            f"    base = keras.applications.{settings.base}(", words, ")"
        )

    def _layer(self, layer: Any, **instead: str) -> str:
        last = layer is self.model.layers[-1]
        dtype = "float32" if last and self.precision != "float32" else ""
        return layer_code(layer, dtype=dtype, **instead)

    def _batches(self) -> list[str]:
        shuffled = self.config.training.shuffle
        says = "each in another order" if shuffled else "in their own order"
        order = (
            "        order = np.random.default_rng([SEED, 2, epoch]).permutation(len(x))"
            if shuffled
            else "        order = np.arange(len(x))"
        )
        weights, third = [], ""
        if self.balanced:
            numbers = "y.argmax(axis=1)" if self.one_hot else "y"
            weights = [
                "    # a sample of a rare class counts more",
                "    classes, place, count = np.unique(",
                f"        {numbers}, return_inverse=True, return_counts=True",
                "    )",
                "    weights = (len(x) / (len(classes) * count))[place]",
            ]
            third = ", weights[rows]"
        return [
            "def batches(x, y, epoch):",
            f'    """Batches of epoch after epoch without end, {says}."""',
            *weights,
            "    while True:",
            order,
            "        for begin in range(0, len(x), BATCH_SIZE):",
            "            rows = order[begin : begin + BATCH_SIZE]",
            f"            yield x[rows], y[rows]{third}",
            "        epoch += 1",
        ]

    def _train(self) -> list[str]:
        training = self.config.training
        loss = LOSSES[self.task]
        if self.learned.classes and not self.one_hot:
            loss = f"sparse_{loss}"
        stopping, several = training.early_stopping, self.transfer is not None
        mode = ['mode="max"'] if self._monitor.endswith("accuracy") else []
        monitor = "monitor" if several else "MONITOR"
        takes = ["model", "x", "y", "validation", "epochs", "learning_rate"]
        if several:
            takes += ["first_epoch", "monitor=MONITOR", "patience=None"]
        patience = "patience or epochs" if several else "PATIENCE" if stopping else "epochs"
        callbacks = ["best"]
        lines = [
            *called("def train(", takes, "):"),
            '    """Train, and leave the model with the weights of its best epoch."""',
            "    model.compile(",
            f"        optimizer=keras.optimizers.{OPTIMIZERS[training.optimizer]}(learning_rate),",
            f'        loss="{loss}",',
            f'        metrics=["{METRICS[self.task]}"],',
            "    )",
        ]
        if stopping is not None and stopping.min_delta:
            callbacks.append("enough")
            lines += [
                *called(
                    "    enough = keras.callbacks.EarlyStopping(",
                    [monitor, f"patience={patience}", f"min_delta={stopping.min_delta!r}", *mode],
                    ")",
                ),
            ]
            patience = "epochs"
        return [
            *lines,
            *called(
                "    best = keras.callbacks.EarlyStopping(",
                [monitor, f"patience={patience}", "restore_best_weights=True", *mode],
                ")",
            ),
            "    history = model.fit(",
            f"        batches(x, y, {'first_epoch' if several else '1'}),",
            "        steps_per_epoch=-(-len(x) // BATCH_SIZE),",
            "        epochs=epochs,",
            "        validation_data=validation,",
            f"        callbacks=[{', '.join(callbacks)}],",
            "        verbose=2,",
            "    )",
            "    return history.history[" + ("monitor" if several else "MONITOR") + "]",
        ]

    @property
    def _monitor(self) -> str:
        return monitor_of(self.config.training.monitor, self.dataset)

    def _settle(self) -> list[str]:
        if not self._settles:
            return []
        return _SETTLE.splitlines()

    @property
    def _settles(self) -> bool:
        """Whether a random base has statistics to be given."""
        if self.transfer is None or str(self.settings.weights) != "random":
            return False
        (base,) = [layer for layer in self.model.layers if hasattr(layer, "layers")]
        return any(type(layer).__name__ == "BatchNormalization" for layer in base.layers)

    def _main(self) -> list[str]:
        lines = ["def main():"]
        if self.precision != "float32":
            lines.append(f'    keras.config.set_dtype_policy("{self.precision}")')
        lines += ["    keras.utils.set_random_seed(SEED)", "    data = load()"]
        lines += self._part("train")
        if self.dataset.validation is not None:
            lines += [*self._part("validation"), "    validation = x_validation, y_validation"]
        else:
            lines.append("    validation = None  # the training loss chooses the best epoch")
        lines += [*self._part("test"), ""]
        lines += ["    model = build()"]
        if self.transfer is None:
            lines += [
                "    model.summary()",
                "    train(model, x_train, y_train, validation, EPOCHS, LEARNING_RATE)",
            ]
        else:
            lines += self._phases()
        return [*lines, "", *self._measure()]

    def _part(self, name: str, prefix: str = "", classes: str = "len(CLASSES)") -> list[str]:
        """The lines that take a part of the samples as the model wants it."""
        x, y = f"x_{prefix}{name}", f"y_{prefix}{name}"
        given = f'data["{x}"]'
        if self.opened.preparation is not None:
            given = f"prepare({given})"
        truth = f'data["{y}"]'
        if self.one_hot:
            truth = f"keras.utils.to_categorical({truth}, {classes})"
        return [f"    {x} = {given}", f"    {y} = {truth}"]

    def _phases(self) -> list[str]:
        """The phases of a transfer."""
        settings = self.settings
        (base,) = [layer for layer in self.model.layers if hasattr(layer, "layers")]
        stopping = self.config.training.early_stopping
        lines = [f"    base = model.get_layer({quoted(base.name)})", "    model.summary()"]
        if self._settles:
            lines.append(f"    settle(base, x_train[:{self._settling(base)}])")
        done = "1"
        if self.before is not None:
            classes = len(self.before.classes)
            monitor = "val_loss" if self.before.validation is not None else "loss"
            lines += ["", "    # first the base learns, on classes that the task does not have"]
            lines += self._part("train", "pretrain_", str(classes))
            known = "None"
            if self.before.validation is not None:
                lines += self._part("validation", "pretrain_", str(classes))
                known = "(x_pretrain_validation, y_pretrain_validation)"
            lines += [
                "    base.trainable = True",
                "    train(",
                f"        on_base(base, {classes}),",
                "        x_pretrain_train,",
                "        y_pretrain_train,",
                f"        {known},",
                "        PRETRAINING_EPOCHS,",
                "        PRETRAINING_RATE,",
                "        first_epoch=1,",
                f'        monitor="{monitor}",',
                "    )",
                "    base.trainable = False",
            ]
            done = "PRETRAINING_EPOCHS + 1"
        arguments = [
            *("model", "x_train", "y_train", "validation"),
            *("EPOCHS", "LEARNING_RATE", f"first_epoch={done}"),
        ]
        arguments += ["patience=PATIENCE"] if stopping is not None else []
        call = called("    train(", arguments, ")")
        if settings.fine_tune is None:
            return [*lines, "", "    # the head above it learns, the base stays as it is", *call]
        call[0] = call[0].replace("train(", "head = train(")
        fine = [
            *("model", "x_train", "y_train", "validation"),
            *("FINE_TUNING_EPOCHS", "FINE_TUNING_RATE"),
            f"first_epoch={done} + len(head)",
            *(["patience=PATIENCE"] if stopping is not None else []),
        ]
        best = "max" if self._monitor.endswith("accuracy") else "min"
        worse = "<=" if best == "max" else ">="
        frozen = "isinstance(layer, keras.layers.BatchNormalization)"
        return [
            *lines,
            "",
            "    # the head above it learns, the base stays as it is",
            *call,
            "",
            "    # then the base's last layers too, in small steps",
            "    base.trainable = True",
            "    for layer in base.layers[:-FINE_TUNED_LAYERS]:",
            "        layer.trainable = False",
            "    for layer in base.layers:",
            f"        if {frozen}:",
            "            layer.trainable = False",
            "    weights = model.get_weights()",
            *called("    tuned = train(", fine, ")"),
            f"    if {best}(tuned) {worse} {best}(head):  # it was better before",
            "        model.set_weights(weights)",
        ]

    def _settling(self, base: Any) -> int:
        """How many samples a random base takes its statistics from."""
        places = math.prod(base.output_shape[1:3])
        most = max(2, SETTLING_PIXELS // math.prod(self.model.input_shape[1:3]))
        return int(min(max(SETTLING_SAMPLES, SETTLING_VALUES // places), most))

    def _measure(self) -> list[str]:
        if self.learned.classes:
            return [
                "    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)",
                '    print(f"test accuracy {accuracy:.1%}")',
                "    taken = CLASSES[model.predict(x_test[:1], verbose=0).argmax()]",
                """    truth = CLASSES[data["y_test"][0]]""",
                '    print(f"the first of it is {truth}, taken for {taken}")',
            ]
        assert self.learned.series is not None
        scale = "" if self.learned.series.scale == 1 else " * SCALE"
        name = quoted(f" in {self.learned.series.name}")[1:-1].replace("{", "{{").replace("}", "}}")
        return [
            "    error = np.abs(model.predict(x_test, verbose=0) - y_test).mean()" + scale,
            f'    print(f"mean absolute test error {{error:.4f}}{name}")',
        ]


_SINE = '''def load():
    """The lesson's sine: every value is told from those before it.

    Tested on the same wave half a step later, between the values that were learned.
    """
    t = np.linspace({start!r}, {end!r}, {points})
    later = t + (t[1] - t[0]) / 2
    parts = {{}}
    for name, wave in (("train", np.sin(t)), ("test", np.sin(later))):
        wave = wave.astype("float32").reshape(1, -1, 1)
        parts["x_" + name], parts["y_" + name] = wave[:, :-1], wave[:, 1:]
    return parts
'''
_SETTLE = '''def settle(base, x):
    """Give the BatchNormalization of a random base the statistics of its samples."""
    normalization = keras.layers.BatchNormalization
    norms = [layer for layer in base.layers if isinstance(layer, normalization)]
    momenta = [layer.momentum for layer in norms]
    base.trainable = True
    for layer in norms:
        layer.momentum = 0.0  # the statistics of this one batch
    base(x, training=True)
    for layer, momentum in zip(norms, momenta, strict=True):
        layer.momentum = momentum
    base.trainable = False
'''


def _docstring(summary: str, more: Sequence[str]) -> list[str]:
    """The docstring of a function."""
    if not more:
        return [f'    """{summary}"""']
    return [f'    """{summary}', "", *(f"    {line}" for line in more), '    """']


def _room(network: str) -> str:
    """The module of `keras.applications` that a network is in."""
    return str(getattr(backend.keras().applications, network).__module__).rpartition(".")[2]
