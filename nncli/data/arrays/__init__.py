"""Arrays in files: NumPy's `.npz` and `.npy`, and the idx files of MNIST."""

from nncli.data.arrays.sources import IDX, NPY, NPZ

__all__ = ["IDX", "NPY", "NPZ"]
