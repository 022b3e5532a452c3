"""What the tests of faults share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.harness import Worker


@pytest.fixture(scope="session")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """Imports once for all of these tests."""
    made = Worker(tmp_path_factory.mktemp("worker"))
    yield made
    made.close()
