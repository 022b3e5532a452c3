"""The loop that Keras's `fit` is, written out: it is the same for every model."""

import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

Figures = dict[str, list[float]]


def train(
    model: nn.Module,
    loss_of: Callable[[Tensor, Tensor], Tensor],
    part: tuple[Tensor, Tensor],
    epochs: int,
    validation: tuple[Tensor, Tensor] | None = None,
    batch_size: int = 32,
) -> tuple[Figures, list[float]]:
    """Adam on shuffled batches: the figures and the seconds of each epoch, on a GPU if any."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model.to(device)
    x, y = (each.to(device) for each in part)
    if validation is not None:
        validation = (validation[0].to(device), validation[1].to(device))
    learned = [each for each in model.parameters() if each.requires_grad]
    optimizer = torch.optim.Adam(learned, lr=1e-3, eps=1e-7)
    figures: Figures = {"loss": []}
    seconds = []
    for _ in range(epochs):
        began = time.perf_counter()
        model.train()
        total = 0.0
        right = 0
        for rows in torch.randperm(len(x)).split(batch_size):
            answer = model(x[rows])
            loss = loss_of(answer, y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
            if y.dtype == torch.long:
                right += int((answer.argmax(1) == y[rows]).sum())
        figures["loss"].append(total / len(x))
        if y.dtype == torch.long:
            figures.setdefault("accuracy", []).append(right / len(x))
        if validation is not None:
            measured = accuracy(model, *validation, batch_size)
            figures.setdefault("val_accuracy", []).append(measured)
        seconds.append(time.perf_counter() - began)
    return figures, seconds


@torch.no_grad()
def accuracy(model: nn.Module, x: Tensor, y: Tensor, batch_size: int) -> float:
    """The share of right answers."""
    model.eval()
    right = 0
    for inputs, labels in zip(x.split(batch_size), y.split(batch_size), strict=True):
        right += int((model(inputs).argmax(1) == labels).sum())
    return right / len(x)
