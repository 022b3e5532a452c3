"""The published schema: it is one, it is the one in docs, it is strict."""

from __future__ import annotations

import io
import json
import math
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from nncli.cli import main
from nncli.documents import SCHEMA_VERSION
from nncli.documents.every import commands, documents
from nncli.documents.json_schema import json_schema
from nncli.files import finite
from nncli.report.console import print_json
from nncli.report.data import data_document
from nncli.results import DataReport, PartFacts
from tests.documents.read import document_of

PUBLISHED = Path(__file__).parent.parent.parent / "docs" / "nncli.schema.json"


@pytest.mark.parametrize("command", ["", *commands()])
def test_it_is_a_json_schema(command: str) -> None:
    schema = json_schema(command)
    Draft202012Validator.check_schema(schema)
    assert all(definition["description"] for definition in schema["$defs"].values())
    objects = [each for each in schema["$defs"].values() if each["type"] == "object"]
    assert objects
    assert not any(each["additionalProperties"] for each in objects)


def test_the_published_file_is_what_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    published = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    assert published == json.loads(capsys.readouterr().out), (
        "nncli schema > docs/nncli.schema.json; where a key is gone or means something else, "
        "SCHEMA_VERSION goes up"
    )


def test_a_command_has_its_documents_and_the_error() -> None:
    def of(command: str) -> list[str]:
        named = {f"#/$defs/{each.__name__}": name for name, each in documents().items()}
        return [named[each["$ref"]] for each in json_schema(command)["oneOf"]]

    assert of("neuron") == ["neuron", "error"]
    assert of("plot") == ["plot", "error"], "plot-activation is another command"
    assert of("runs") == ["runs list", "runs show", "runs diff", "runs delete", "error"]
    assert of("train")[:2] == ["train", "train --dry-run"]
    assert of("") == list(documents())
    assert "Neuron" not in json_schema("runs")["$defs"], "no more than it takes"


def test_texts_stand_beside_the_keys() -> None:
    found = json_schema("runs show")["$defs"]["RunsShow"]["properties"]
    assert found["files"]["description"].startswith("Bytes of each file")
    assert found["can_go_on"]["description"].startswith("Whether `train --resume`"), "inherited"
    assert found["schema_version"]["const"] == SCHEMA_VERSION
    assert found["document"]["const"] == "runs show"


@pytest.mark.parametrize(("word", "said"), [("trian", "'train'"), ("runs lst", "'runs list'")])
def test_an_unknown_command_is_refused(
    word: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["schema", *word.split()]) == 2
    assert f"did you mean {said}?" in capsys.readouterr().err


def test_what_is_no_finite_number_is_null_where_data_can_be_so() -> None:
    infinite = float("inf")
    part = PartFacts("train", 2, (1,), "float64", 8, -infinite, infinite, float("nan"), infinite)
    report = DataReport("csv", "a.csv", "rnn", "series", "forecast", (4, 1), parts=(part,))
    told = data_document(report, picture=None, shows="", failed="")
    found = document_of(json.dumps(finite({"schema_version": SCHEMA_VERSION, **told})))
    told_part = found["parts"]["train"]
    assert [told_part[key] for key in ("minimum", "maximum", "mean", "deviation")] == [None] * 4


@given(number=st.floats())
def test_numbers_keep_every_digit(number: float) -> None:
    stream = io.StringIO()
    with redirect_stdout(stream):
        print_json({"document": "neuron", "output": number})  # type: ignore[typeddict-item]
    (line,) = (line for line in stream.getvalue().splitlines() if "output" in line)
    told = json.loads(line.partition(": ")[2])
    assert told == number if math.isfinite(number) else told is None
