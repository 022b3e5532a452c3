"""Where numbers that are not finite come from."""

from __future__ import annotations

import numpy as np
import pytest

from nncli import backend
from nncli.models.shares import share_out
from nncli.training.broken import broken_layer


@pytest.mark.parametrize("shares", [1, 2])
def test_the_first_layer_of_the_whole_batch(
    started: None, monkeypatch: pytest.MonkeyPatch, shares: int
) -> None:
    """The first sample breaks in the last layer, the second one in the first."""
    monkeypatch.setattr(backend, "shares", lambda: shares)
    layers, huge = backend.keras().layers, backend.keras().initializers.Constant(1e30)
    model = backend.keras().Sequential(
        [
            layers.Input((2, 2, 1)),
            layers.Conv2D(1, 1, kernel_initializer="ones", name="first"),
            layers.Flatten(),
            layers.Dense(1, kernel_initializer=huge, name="last"),
        ]
    )
    share_out(model)
    assert ("call" in vars(model)) == (shares > 1)
    x = np.ones((2, 2, 2, 1), np.float32)
    assert broken_layer(model, x) == ""
    x[0] = 1e20
    assert broken_layer(model, x) == "last"
    x[1] = np.nan
    assert broken_layer(model, x) == "first"
    assert "call" not in vars(model.layers[0])
