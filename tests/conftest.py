"""What all tests share: one start of TensorFlow per process, and where the real data is."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from nncli import process
from nncli.config.sections import available_threads


def pytest_collection_finish() -> None:
    """Python would look through all of the tests themselves each time it looks for garbage."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*process.SELDOM)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The features that trainings keep are not those of the user's own runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NNCLI_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def started() -> None:
    """TensorFlow, set up as for a run on the CPU."""
    from nncli import backend

    backend.start("cpu", available_threads(), 42)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data, or a skip."""
    if "NNCLI_TEST_DATA" not in os.environ:
        pytest.skip("NNCLI_TEST_DATA is not set")
    return Path(os.environ["NNCLI_TEST_DATA"])
