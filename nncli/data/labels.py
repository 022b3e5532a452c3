"""Class labels as people store them: numbers, names or one-hot rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nncli.errors import DataError
from nncli.lazy import NDArray, np
from nncli.results import Array

MOST_CLASSES = 10_000
LARGEST_LABEL = 2**53
"""Beyond it a float64 does not tell one whole number from the next."""
_MISSING = frozenset({"", "nan", "none", "null"})


@dataclass(frozen=True)
class Labels:
    """The classes, and the index of each sample's."""

    classes: tuple[str, ...]
    indices: tuple[NDArray[np.int64], ...]
    """For each array that was given: (samples,)"""


def read_labels(
    given: Sequence[tuple[str, Array, bool]], class_names: Sequence[str] | None = None
) -> Labels:
    """Classes by their labels: numbers in their order, texts in that of the alphabet.

    Args:
        given: place, labels, and whether they are those of the training part. Labels are
            (samples,) or (samples, 1) whole numbers or texts, or (samples, classes) one-hot.
        class_names: names of the labels 0, 1, …; None takes the labels that there are.

    Raises:
        DataError: naming the place and the first wrong label.
    """
    plain = [(place, _flat(place, y), train) for place, y, train in given]
    kinds = {"text" if y.dtype.kind in "US" else "number" for _, y, _ in plain}
    if len(kinds) > 1:
        raise DataError(
            f"the labels are numbers in one place and texts in another: "
            f"{', '.join(place for place, _, _ in plain)}",
            hint="write them in the same way",
        )
    if class_names is not None and kinds == {"number"}:
        return _named(plain, class_names)
    known = np.unique(np.concatenate([y for _, y, train in plain if train]))
    if class_names is not None:
        unknown = sorted(set(class_names) ^ {str(label) for label in known})
        if unknown:
            raise DataError(
                f"data.class_names and the labels of {plain[0][0]} differ in '{unknown[0]}'",
                hint="name the labels that there are, or remove data.class_names",
            )
        known = np.array(class_names)
    if len(known) == 1:
        raise DataError(
            f"{plain[0][0]}: every label is {_shown(known[0])}; at least two classes are needed",
            hint="add samples of another class, or correct the labels",
        )
    if len(known) > MOST_CLASSES:
        raise DataError(
            f"{plain[0][0]} has {len(known):,} different labels",
            hint=f"a classifier takes at most {MOST_CLASSES:,} classes: are these class labels?",
        )
    if known.dtype.kind not in "US" and known[0] == -1 and len(known) > 2:
        raise DataError(
            f"{plain[0][0]} has label -1 beside {known[1]} to {known[-1]}, "
            "which often marks samples without a label",
            hint="remove those samples, or number the classes from 0",
        )
    order = np.argsort(known, kind="stable")
    indices = []
    for place, y, _ in plain:
        found = np.searchsorted(known, y, sorter=order).clip(max=len(known) - 1)
        index = order[found]
        wrong = np.flatnonzero(known[index] != y)
        if len(wrong):
            raise DataError(
                f"{place}, sample {wrong[0] + 1}: label {_shown(y[wrong[0]])} is not among those "
                f"of the training part ({_few(known)})",
                hint="give a training part with all classes",
            )
        indices.append(index.astype(np.int64))
    return Labels(tuple(str(label) for label in known), tuple(indices))


def known_labels(place: str, labels: Array, classes: Sequence[str]) -> NDArray[np.int64]:
    """Labels as indices into the classes that a model knows: by their names, or by their numbers.

    Args:
        place: what holds them, for errors.
        labels: as `read_labels` takes them; whole numbers that are no names count the classes.
        classes: their names.

    Raises:
        DataError: naming the first label of none of them.
    """
    plain = _flat(place, labels)
    index = {name: i for i, name in enumerate(classes)}
    found, inverse = np.unique(plain, return_inverse=True)
    places = [index.get(str(label), -1) for label in found]
    if -1 in places and plain.dtype.kind != "U" and all(0 <= n < len(classes) for n in found):
        places = [int(n) for n in found]
    indices = np.array(places, dtype=np.int64)[inverse]
    wrong = np.flatnonzero(indices < 0)
    if len(wrong):
        raise DataError(
            f"{place}, sample {wrong[0] + 1}: label {_shown(plain[wrong[0]])} is of no class that "
            f"was trained on ({_few(np.array(classes))})",
            hint="give samples of these classes",
        )
    return indices


def _named(plain: list[tuple[str, Array, bool]], class_names: Sequence[str]) -> Labels:
    """Labels that count through a list of names."""
    for place, y, _ in plain:
        wrong = np.flatnonzero((y < 0) | (y >= len(class_names)))
        if len(wrong):
            raise DataError(
                f"{place}, sample {wrong[0] + 1}: label {y[wrong[0]]}, but data.class_names has "
                f"{len(class_names)} names (0 to {len(class_names) - 1})",
                hint="name all classes, or correct the label",
            )
    return Labels(tuple(class_names), tuple(y.astype(np.int64) for _, y, _ in plain))


def _flat(place: str, y: Array) -> Array:
    """(samples,) whole numbers or texts."""
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim == 2 and y.dtype.kind in "biuf":
        return _from_one_hot(place, y)
    if y.ndim != 1:
        raise DataError(
            f"{place} has labels of shape {y.shape}; one for each sample is needed",
            hint="give (samples,) labels, or one-hot rows (samples, classes)",
        )
    if y.dtype.kind == "U":
        _check_text(place, y)
        missing = [i for i, label in enumerate(y) if label.strip().lower() in _MISSING]
        if missing:
            raise DataError(
                f"{place}, sample {missing[0] + 1} has no label ({_shown(y[missing[0]])})",
                hint="label it, or remove it",
            )
        return y
    if y.dtype.kind == "S":
        return _flat(place, _decoded(place, y))
    if y.dtype.kind not in "biuf":
        raise DataError(f"{place} has labels of type {y.dtype}", hint="give whole numbers or texts")
    whole = y.astype(np.int64) if y.dtype.kind == "b" else y
    if y.dtype.kind == "f":
        wrong = np.flatnonzero(~((np.abs(y) <= LARGEST_LABEL) & (y == np.round(y))))
        if len(wrong):
            raise DataError(
                f"{place}, sample {wrong[0] + 1}: label {y[wrong[0]]:g} is not a whole number",
                hint="classes are whole numbers or names",
            )
        whole = y.astype(np.int64)
    return whole


def _check_text(place: str, y: Array) -> None:
    """Refuse damaged texts: NumPy stores four bytes a letter, and not all numbers are letters.

    Raises:
        DataError: naming the sample.
    """
    letters = np.ascontiguousarray(y, dtype=y.dtype.newbyteorder("=")).view(np.uint32)
    letters = letters.reshape(len(y), -1)
    wrong = np.flatnonzero(
        ((letters > 0x10FFFF) | ((letters >= 0xD800) & (letters < 0xE000))).any(axis=1)
    )
    if len(wrong):
        raise DataError(
            f"{place}, sample {wrong[0] + 1} has a label that is not text",
            hint="the file is damaged: save it anew",
        )


def _decoded(place: str, y: Array) -> Array:
    try:
        return np.char.decode(y, "utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{place} has labels that are not UTF-8", hint="save them as text") from (
            error
        )


def _from_one_hot(place: str, y: Array) -> NDArray[np.int64]:
    hot = (y == 1).sum(axis=1) == 1
    others = (y == 0).sum(axis=1) == y.shape[1] - 1
    wrong = np.flatnonzero(~(hot & others))
    if len(wrong):
        raise DataError(
            f"{place}, sample {wrong[0] + 1}: a row of {y.shape[1]} numbers is not one-hot "
            "(a single 1, the others 0)",
            hint="give (samples,) labels, or one-hot rows",
        )
    return np.asarray(y.argmax(axis=1), dtype=np.int64)


def _shown(label: object) -> str:
    text = str(label)
    return f"'{text if len(text) <= 40 else text[:39] + '…'}'"


def _few(known: Array) -> str:
    names = [str(label) for label in known[:8]]
    return ", ".join(names) + (" …" if len(known) > 8 else "")
