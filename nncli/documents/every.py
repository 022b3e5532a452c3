"""The table of documents; the order is that of the help."""

from __future__ import annotations

import inspect
from typing import get_args, get_type_hints

from nncli.documents.config import ConfigCopy, ConfigList, ConfigShow, ConfigValidate
from nncli.documents.data import DataCheck, DataList
from nncli.documents.doctor import Doctor
from nncli.documents.error import Error
from nncli.documents.evaluation import Evaluate
from nncli.documents.export import Export
from nncli.documents.lesson import ActivationList, ActivationPlot, Neuron
from nncli.documents.prediction import Predict, PredictSteps
from nncli.documents.runs import RunsDelete, RunsDiff, RunsList, RunsShow
from nncli.documents.training import (
    Plot,
    Report,
    Train,
    TrainDryRun,
    TrainEstimate,
    TrainFinished,
    TrainInterrupted,
    Verify,
)

Document = (
    ActivationPlot
    | ActivationList
    | Neuron
    | Train
    | TrainDryRun
    | TrainEstimate
    | TrainInterrupted
    | TrainFinished
    | Evaluate
    | Predict
    | PredictSteps
    | Plot
    | Report
    | Verify
    | Export
    | Doctor
    | RunsList
    | RunsShow
    | RunsDiff
    | RunsDelete
    | ConfigList
    | ConfigShow
    | ConfigCopy
    | ConfigValidate
    | DataCheck
    | DataList
    | Error
)
"""Whatever `--json` prints. Each is told from the others by its `document`: the words of the
command that prints it, and what it was asked for or came to, where that makes another one."""


def documents() -> dict[str, type]:
    """Each document by what it calls itself, in the order of the table."""
    return {get_args(get_type_hints(each)["document"])[0]: each for each in get_args(Document)}


def commands() -> dict[str, str]:
    """The commands that print documents, groups of them too, and what each prints."""
    found: dict[str, str] = {}
    for name, document in documents().items():
        words = name.partition(" --")[0].split()
        if document is not Error:
            for count in range(1, len(words)):
                found.setdefault(" ".join(words[:count]), f"all of {words[0]}")
            found.setdefault(" ".join(words), inspect.cleandoc(document.__doc__ or ""))
    return found
