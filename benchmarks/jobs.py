"""The lesson's jobs: what nncli does, and what does the same without it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Job:
    """One row of the table.

    In the arguments `{made}` is the folder of `made.py`, and `{epochs}` how many epochs.
    """

    name: str
    """What `--jobs` calls it."""
    nncli: tuple[str, ...]
    """What follows `nncli`."""
    plain: tuple[str, ...]
    """The script in `plain/` and its arguments."""
    target: float
    """The whole process's seconds against the plain script's, at most."""
    made: tuple[str, ...] = ()
    """What it reads, in `made.py`'s FILES."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """What nncli is started with beside what both are: a shell asks by it."""
    says: str = ""
    """A text that nncli's output must hold; for jobs that do not train."""
    same_text: bool = False
    """Whether the plain script's output must hold it too."""
    picture: str = ""
    """The name of a PNG file that both write, each somewhere below its folder."""


@dataclass(frozen=True)
class Training(Job):
    """A job that trains: the same epochs, samples and parameters, and as good a result."""

    epochs: int = 1
    phases: int = 1
    """How often so many epochs are trained, each time with more that learns; warm ones are those of
    the last."""
    torch: tuple[str, ...] = ()
    """The script in `pytorch/` and its arguments; empty for none."""
    torch_loss: float = 0.0
    """What the PyTorch script's last training loss is at most: it begins with other weights."""
    warm_target: float | None = None
    """The same of an epoch after the first, at most."""
    loss_within: float = 0.0
    """How far the last training losses of the two may be apart, as a share of the larger one."""
    accuracy_within: float = 0.0
    """How far the last accuracies may be apart, training and validation."""
    same_order: float = 1e-4
    """How far the training losses of every epoch may be apart, where both take the samples in
    their own order."""
    fewer: str = ""
    """Another file for that, in place of the first of `made`: rounding grows with every step."""
    extracts: bool = False
    """Whether there is a frozen base, whose features nncli may keep from run to run."""

    def on(self, file: str) -> Training:
        """The same with another file in place of the first of `made`."""
        old, *others = self.made

        def renamed(arguments: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(each.replace(f"/{old}", f"/{file}") for each in arguments)

        return replace(
            self,
            nncli=renamed(self.nncli),
            plain=renamed(self.plain),
            torch=renamed(self.torch),
            made=(file, *others),
        )


def transfer(base: str, data: str, layers: int = 0) -> tuple[str, ...]:
    """nncli's arguments for a new head on a frozen base, of which so many layers learn later."""
    tuning = f"model.fine_tune={{{{layers: {layers}, epochs: {{epochs}}}}}}"
    return (
        *("train", "transfer", "--data", f"{{made}}/{data}.npz", "--epochs", "{epochs}"),
        *("--set", f"model.base={base}", "--set", f"model.weights={{made}}/{data}.weights.h5"),
        *("--set", "model.preprocessing=unit"),
        *(("--set", tuning) if layers else ()),
    )


def plain_transfer(base: str, data: str, layers: int = 0) -> tuple[str, ...]:
    """The plain script's arguments for the same."""
    files = (f"{{made}}/{data}.npz", f"{{made}}/{data}.weights.h5")
    return ("transfer.py", base, *files, "{epochs}", str(layers))


JOBS: tuple[Job, ...] = (
    Job(
        name="help",
        nncli=("--help",),
        plain=("two_commands.py", "--help"),
        says="Usage:",
        same_text=True,
        target=1.4,
    ),
    Job(
        name="validate",
        nncli=("config", "validate", "cnn-mnist"),
        plain=("two_commands.py", "--help"),
        says="1 config: valid",
        target=2.0,
    ),
    Job(
        name="runs",
        nncli=("runs", "list", "--output", "{made}/runs-1000"),
        plain=("two_commands.py", "--help"),
        made=("runs-1000",),
        says="1,000 runs",
        target=2.0,
    ),
    Job(
        name="completion",
        nncli=(),
        plain=("two_commands.py", "--help"),
        environment={"_NNCLI_COMPLETE": "1", "_NNCLI_LINE": "nncli train cnn --set training."},
        says="training.epochs=",
        target=2.0,
    ),
    Job(
        name="neuron",
        nncli=("neuron",),
        plain=("neuron.py",),
        says="0.7310585786300049",
        same_text=True,
        target=2.5,
    ),
    Job(
        name="relu",
        nncli=("plot-activation", "relu"),
        plain=("activation.py",),
        says="relu.png",
        picture="relu.png",
        target=1.3,
    ),
    Training(
        name="rnn",
        nncli=("train", "rnn", "--epochs", "{epochs}"),
        plain=("rnn.py", "{epochs}"),
        torch=("rnn.py", "{epochs}"),
        torch_loss=0.1,
        epochs=100,
        loss_within=1e-4,
        target=0.5,
    ),
    Training(
        name="lstm",
        nncli=(
            *("train", "lstm", "--data", "{made}/sequences.npz", "--epochs", "{epochs}"),
            *("--set", "data.validation=0", "--set", "training.early_stopping=null"),
        ),
        plain=("lstm.py", "{made}/sequences.npz", "{epochs}"),
        torch=("lstm.py", "{made}/sequences.npz", "{epochs}"),
        torch_loss=1.2,
        made=("sequences.npz",),
        epochs=3,
        loss_within=0.15,
        accuracy_within=0.05,
        target=0.65,
        warm_target=0.45,
    ),
    Training(
        name="cnn",
        nncli=(
            *("train", "cnn", "--data", "{made}/cnn.npz", "--epochs", "{epochs}"),
            *("--set", "training.early_stopping=null"),
        ),
        plain=("cnn.py", "{made}/cnn.npz", "{epochs}"),
        torch=("cnn.py", "{made}/cnn.npz", "{epochs}"),
        torch_loss=0.5,
        made=("cnn.npz",),
        fewer="cnn-1000.npz",
        epochs=3,
        loss_within=0.15,
        accuracy_within=0.02,
        target=0.8,
        warm_target=0.65,
    ),
    Training(
        name="vgg16",
        nncli=transfer("VGG16", "vgg16"),
        plain=plain_transfer("VGG16", "vgg16"),
        torch=("vgg16.py", "{made}/vgg16.npz", "{made}/vgg16.weights.npz", "{epochs}"),
        torch_loss=1.5,
        made=("vgg16.npz", "vgg16.weights.h5"),
        epochs=10,
        loss_within=0.3,
        accuracy_within=0.05,
        target=0.2,
        extracts=True,
    ),
    Training(
        name="mobilenet",
        nncli=transfer("MobileNetV2", "mobilenet"),
        plain=plain_transfer("MobileNetV2", "mobilenet"),
        made=("mobilenet.npz", "mobilenet.weights.h5"),
        epochs=10,
        loss_within=0.3,
        accuracy_within=0.05,
        target=0.2,
        extracts=True,
    ),
    Training(
        name="fine-tune",
        nncli=transfer("VGG16", "vgg16", layers=4),
        plain=plain_transfer("VGG16", "vgg16", layers=4),
        made=("vgg16.npz", "vgg16.weights.h5"),
        epochs=5,
        phases=2,
        loss_within=0.3,
        same_order=0.02,  # each core drops others of its share than one would of the whole batch
        accuracy_within=0.05,
        target=0.35,
        extracts=True,
    ),
)
