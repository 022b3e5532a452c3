"""Samples that nobody has labelled, in whatever they come: read in blocks, one after the other."""

from __future__ import annotations

from nncli.data.inputs.block import Block, Wanted
from nncli.data.inputs.kinds import open_inputs
from nncli.data.inputs.series import open_series

__all__ = ["Block", "Wanted", "open_inputs", "open_series"]
