"""NumPy, loaded when it is first used.

A thing's settings stand on top of the code that works with them, so whoever asks what a config
may hold imports that code too. To refuse a misspelt word, to complete one, or to list the
shipped configs takes no numbers, and loading NumPy would be a quarter of the time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:

    class _NumPy:
        def __getattr__(self, name: str) -> Any:
            import numpy

            value = getattr(numpy, name)
            setattr(self, name, value)
            return value

    class NDArray:
        """For annotations, which nothing evaluates."""

    np = _NumPy()

__all__ = ["NDArray", "np"]
