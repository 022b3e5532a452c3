"""What the tests of faults share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import pytest

from tests.faults import harness
from tests.faults.harness import Whole, Worker


@pytest.fixture(scope="session")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """Imports once for all of these tests."""
    made = Worker(tmp_path_factory.mktemp("worker"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def whole_of(worker: Worker, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Whole]:
    """The run of a kind that nothing happened to, trained when it is first asked for."""
    return cache(lambda kind: harness.whole(worker, kind, tmp_path_factory.mktemp(kind)))
