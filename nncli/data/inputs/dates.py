"""Dates gone on with: years, months, days and times that follow on each other regularly."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise

MOST_LOOKED_AT = 50
"""The last dates of a series, which tell how it goes on."""
_FORMS = {
    re.compile(r"\d{4}", re.ASCII): "%Y",
    re.compile(r"\d{4}-\d\d", re.ASCII): "%Y-%m",
    re.compile(r"\d{4}-\d\d-\d\d", re.ASCII): "%Y-%m-%d",
    re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d", re.ASCII): "%Y-%m-%dT%H:%M",
    re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d", re.ASCII): "%Y-%m-%d %H:%M",
    re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", re.ASCII): "%Y-%m-%dT%H:%M:%S",
    re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII): "%Y-%m-%d %H:%M:%S",
}


def dates_after(dates: Sequence[str], steps: int) -> tuple[str, ...]:
    """The dates of the next steps, written as those before; () where they are not regular.

    Args:
        dates: in the order of time.
        steps: how many are wanted.
    """
    last = dates[-MOST_LOOKED_AT:]
    form = next((f for p, f in _FORMS.items() if last and all(map(p.fullmatch, last))), None)
    if form is None or len(last) < 3:
        return ()
    try:
        known = [datetime.strptime(each, form) for each in last]
        found = _by_months(known, steps) or _by_time(known, steps)
        return tuple(each.strftime(form).rjust(len(last[-1]), "0") for each in found)
    except (ValueError, OverflowError):  # no date of the calendar, or after its last year
        return ()


def _by_months(known: Sequence[datetime], steps: int) -> list[datetime]:
    """So many months later each, on the same day of it or on its last."""
    months = [12 * each.year + each.month - 1 for each in known]
    distances = {b - a for a, b in pairwise(months)}
    ends = all(_is_last_day(each) for each in known)
    days = {each.day for each in known}
    if len(distances) > 1 or min(distances) < 1 or len({each.time() for each in known}) > 1:
        return []
    if not ends and len(days) > 1:
        return []
    (distance,) = distances
    found = []
    for step in range(1, steps + 1):
        year, month = divmod(months[-1] + distance * step, 12)
        first = known[-1].replace(year=year, month=month + 1, day=1)
        found.append(_last_day(first) if ends and len(days) > 1 else first.replace(day=min(days)))
    return found


def _by_time(known: Sequence[datetime], steps: int) -> list[datetime]:
    distances = {b - a for a, b in pairwise(known)}
    if len(distances) > 1 or min(distances) <= timedelta(0):
        return []
    (distance,) = distances
    return [known[-1] + distance * step for step in range(1, steps + 1)]


def _is_last_day(day: date) -> bool:
    return (day + timedelta(days=1)).day == 1


def _last_day(first: datetime) -> datetime:
    """Of the month of its first day."""
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
