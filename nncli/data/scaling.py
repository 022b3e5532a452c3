"""Numbers brought to a common scale: learned from the training part, used for all parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nncli.data.samples import Inputs, blocks
from nncli.errors import DataError
from nncli.lazy import NDArray, np
from nncli.results import Array


@dataclass(frozen=True)
class Scaler:
    """z = (x − offset) / scale for each feature, with the training part's mean and deviation."""

    offset: NDArray[np.float64]
    """(features,) in the data's own units."""
    scale: NDArray[np.float64]
    """(features,) in the data's own units; 1 for a feature that never changes."""

    def apply(self, x: Array) -> NDArray[np.float32]:
        """(…, features) in the data's own units → the same, scaled."""
        return np.asarray((x - self.offset) / self.scale, dtype=np.float32)

    def to_dict(self) -> dict[str, Any]:
        """As plain numbers, exact: for `data.json` of a run."""
        return {"offset": self.offset.tolist(), "scale": self.scale.tolist()}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Scaler:
        """Back from `to_dict`."""
        return cls(np.array(stored["offset"]), np.array(stored["scale"]))


def learn_scaler(name: str, train: Inputs) -> Scaler:
    """The mean and standard deviation of each feature over all samples and steps.

    Args:
        name: the data's name, for errors.
        train: (samples, steps, features), the training part alone; NaN steps are left out.

    Raises:
        DataError: numbers so large that their mean or deviation is not finite.
    """
    features = train.shape[-1]
    count = np.zeros(features)
    mean = np.zeros(features)
    squares = np.zeros(features)  # sum of squared distances from the mean
    with np.errstate(over="ignore", invalid="ignore"):
        # one pass, block by block: T. Chan, G. Golub, R. LeVeque, Technical Report 222, 1979
        for block in blocks(train):
            flat = np.asarray(block, dtype=np.float64).reshape(-1, features)
            flat = flat[~np.isnan(flat).any(axis=1)]
            if len(flat) == 0:
                continue
            own = flat.mean(axis=0)
            both = count + len(flat)
            squares += ((flat - own) ** 2).sum(axis=0)
            squares += (own - mean) ** 2 * count * len(flat) / both
            mean += (own - mean) * len(flat) / both
            count = both
        deviation = np.sqrt(squares / np.maximum(count, 1))
    for index in np.flatnonzero(~(np.isfinite(mean) & np.isfinite(deviation))):
        raise DataError(
            f"{name}: the numbers of feature {index + 1} are too large to work with",
            hint="divide them by a power of ten",
        )
    # rounding alone leaves a deviation of about 1e-16 of the mean
    deviation[deviation <= 1e-12 * np.abs(mean)] = 1.0
    return Scaler(mean, deviation)
