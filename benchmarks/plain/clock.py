"""The seconds of each epoch, validation included, for a `fit` that keeps them nowhere."""

from __future__ import annotations

import time
from typing import Any

from tensorflow import keras


def clock(seconds: list[float]) -> Any:
    """A callback that appends each epoch's seconds to a list."""
    began = [0.0]

    def begin(_epoch: int, _logs: Any) -> None:
        began[0] = time.perf_counter()

    def end(_epoch: int, _logs: Any) -> None:
        seconds.append(time.perf_counter() - began[0])

    return keras.callbacks.LambdaCallback(on_epoch_begin=begin, on_epoch_end=end)
