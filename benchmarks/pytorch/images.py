"""A part of an archive of images as PyTorch wants it."""

from typing import Any

import torch
from torch import Tensor


def part_of(data: Any, part: str) -> tuple[Tensor, Tensor]:
    """x (samples, channels, height, width) in 0..1 and y (samples,)."""
    pixels = torch.from_numpy(data[f"x_{part}"]).permute(0, 3, 1, 2)
    return pixels.float().div(255).contiguous(), torch.from_numpy(data[f"y_{part}"]).long()
