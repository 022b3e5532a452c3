"""Numbers from the command line, with the offending item in the error."""

from __future__ import annotations

import math

from nncli.errors import UsageError


def finite_number(text: str, place: str, *, hint: str) -> float:
    """The number that `text` spells.

    Args:
        text: as typed, blanks around it allowed.
        place: where it stands, `item 2 of --inputs`, for the message.
        hint: what to write instead, for the message.

    Raises:
        UsageError: no number, or one that is not finite.
    """
    item = text.strip()
    if not item:
        raise UsageError(f"{place} is empty; it must be a number", hint=hint)
    try:
        value = float(item)
    except ValueError:
        raise UsageError(f"{place} is '{item}'; it must be a number", hint=hint) from None
    if not math.isfinite(value):
        raise UsageError(f"{place} is '{item}'; it must be a finite number", hint=hint)
    return value
