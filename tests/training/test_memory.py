"""What a step takes, and what is said when it is more than there is."""

from __future__ import annotations

from typing import Any

import pytest

from nncli import backend
from nncli.models.kind import Phase
from nncli.training import memory
from tests.made import images


@pytest.fixture
def model(started: None) -> Any:
    layers = backend.keras().layers
    return backend.keras().Sequential(
        [layers.Input((10, 3)), layers.LSTM(4), layers.Dense(5), layers.Dense(2)]
    )


def test_what_a_step_takes_is_counted_by_hand(model: Any) -> None:
    weights = 4 * (4 * (3 + 4) + 4) + (4 * 5 + 5) + (5 * 2 + 2)
    assert memory.fixed(model) == 4 * 4 * weights
    assert memory.per_sample(model) == 4 * 2 * (4 * 10 * 4 + 5 + 2)
    model.layers[0].trainable = False
    assert memory.per_sample(model) == 4 * 2 * (4 * 10 * 4)  # passed through, not kept
    assert memory.fixed(model) == 4 * (weights + 3 * (25 + 12))


def test_layers_of_models_inside_count(model: Any) -> None:
    layers = backend.keras().layers
    outer = backend.keras().Sequential([layers.Input((10, 3)), model, layers.Dense(7)])
    assert memory.per_sample(outer) == memory.per_sample(model) + 4 * 2 * 7


@pytest.mark.parametrize(("samples", "batch"), [(1, 1), (5, 4), (64, 64), (100, 64)])
def test_the_batch_that_fits_is_a_power_of_two(samples: int, batch: int, model: Any) -> None:
    free = memory.fixed(model) + samples * memory.per_sample(model)
    assert memory.fitting_batch(model, free) == batch
    assert memory.fitting_batch(model, memory.fixed(model)) == 0


def test_the_error_names_the_need_what_is_free_and_what_fits(
    model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = 2 * (memory.fixed(model) + 5000 * memory.per_sample(model))
    monkeypatch.setattr(memory, "available", lambda: free)
    error = memory.out_of_memory(model, 1_000_000)
    assert error.message == (
        "out of memory: a step of 1,000,000 samples takes about 1.3 GB, 13.4 MB are free"
    )
    assert error.hint == "training.batch_size: 4096 should fit"
    assert memory.out_of_memory(model, 4096).hint == "training.batch_size: 2048 should fit"
    monkeypatch.setattr(memory, "available", lambda: 1000)
    assert "smaller model" in str(memory.out_of_memory(model, 8).hint)
    monkeypatch.setattr(memory, "available", lambda: None)
    assert "smaller training.batch_size than 8" in str(memory.out_of_memory(model, 8).hint)


def test_a_shortage_is_foreseen(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    phase = Phase("train", model, images(), 1, 0.1)
    monkeypatch.setattr(memory, "available", lambda: memory.fixed(model) + 10_000_000)
    assert memory.shortage([phase], 1000) is None
    said = memory.shortage([phase], 100_000)
    assert said is not None
    assert said.startswith("memory may run out: a step of 100,000 samples takes about 0.1 GB,")
    assert said.endswith("10.0 MB are free; training.batch_size: 2048 should fit")
    monkeypatch.setattr(memory, "available", lambda: None)
    assert memory.shortage([phase], 100_000) is None


def test_this_system_says_what_is_free() -> None:
    free = memory.available()
    assert free is None or free > 0


def test_what_nearly_fills_the_memory_is_told(model: Any) -> None:
    phase = Phase("train", model, images(), 1, 0.1)
    sample = memory.per_sample(model)
    free = 1_000_000_000
    assert memory.nearness([phase], 1000, 800_000_000, free) is None
    assert memory.nearness([phase], 1000, 800_000_000, None) is None
    said = memory.nearness([phase], 1000, 800_000_000 + 700 * sample, free)
    assert said is not None
    assert said.startswith("memory may run out: the run takes about 0.8 GB, 1.0 GB are free")
    assert said.endswith("; training.batch_size: 256 should fit")
    said = memory.nearness([phase], 1000, 2_000_000_000, free)
    assert said is not None
    assert said.endswith(memory.SMALLER), "no batch is small enough"


def test_this_process_knows_what_it_takes() -> None:
    now, most = memory.resident(), memory.peak()
    if most is None:
        pytest.skip("this system does not say")
    assert most > 10_000_000
    assert now is None or now <= most
    whole = memory.room()
    assert whole is None or now is None or whole > now
