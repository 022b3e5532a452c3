"""YAML as a config may hold it: what each scalar means, and what is refused where."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nncli.config import Config, Override, load
from nncli.config.strict_yaml import MAX_BYTES, MAX_PROBLEMS, parse, read_text
from nncli.errors import ConfigError, Problem, UsageError
from nncli.schema import SCHEMAS


def problems_of(text: str) -> list[Problem]:
    try:
        return parse(text, "my.yaml").problems
    except ConfigError as error:
        return list(error.problems)


def refused(text: str) -> Problem:
    (problem,) = problems_of(text)
    return problem


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1E-3", 0.001),
        ("1e3", 1000.0),
        ("1.0e+3", 1000.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("-.5", -0.5),
        ("+7", 7),
        ("-0", 0),
        ("0", 0),
        ("0.5", 0.5),
        ("0e5", 0.0),
        ("0x1F", 31),
        ("0o17", 15),
        ("9" * 400, int("9" * 400)),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("no", "no"),
        ("No", "No"),
        ("off", "off"),
        ("yes", "yes"),
        ("on", "on"),
        ("y", "y"),
        ("2024-01-31", "2024-01-31"),
        ("2024-01-31 10:00:00", "2024-01-31 10:00:00"),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("=", "="),
        ("e3", "e3"),
        (".", "."),
        ('"1e-3"', "1e-3"),
        ("'null'", "null"),
        ("|\n  017\n", "017\n"),
        ("[1, .5, no]", [1, 0.5, "no"]),
        ("{a: 1, no: 2}", {"a": 1, "no": 2}),
    ],
)
def test_what_a_scalar_means(text: str, value: object) -> None:
    got = parse(f"key: {text}", "my.yaml").value["key"]

    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize(
    ("text", "line", "column", "length", "message", "advice"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, 1, 1, "duplicate key, first given at line 1, column 1", "keep"),
        ("x: {ab: 1, ab: 2}", 1, 12, 2, "duplicate key, first given at line 1, column 5", "keep"),
        ("a: 017", 1, 4, 3, "017 has a leading zero", "write 17, or '017' for text"),
        ("a: -007", 1, 4, 4, "-007 has a leading zero", "write -7"),
        ("a: 00", 1, 4, 2, "00 has a leading zero", "write 0"),
        ("a: 00.5", 1, 4, 4, "00.5 has a leading zero", "write 0.5"),
        ("a: 01e3", 1, 4, 4, "01e3 has a leading zero", "write 1e3"),
        ("a: &name 1", 1, 4, 5, "anchor &name", "remove it"),
        ("a: &name {b: 1}", 1, 4, 5, "anchor &name", "remove it"),
        ("&k a: 1", 1, 1, 2, "anchor &k", "remove it"),
        ("a: *name", 1, 4, 5, "alias *name", "write the value out"),
        ("a:\n  <<: {b: 1}", 2, 3, 2, "merge key <<", "write the keys out"),
        ("a: !!float 1", 1, 4, 7, "tag !!float", "remove it"),
        ("a: !!python/object:os.system []", 1, 4, 25, "tag !!python/object:os.system", "remove"),
        ("a: !own 1", 1, 4, 4, "tag !own", "remove it"),
        ("!!str a: 1", 1, 1, 5, "tag !!str", "remove it"),
        ("a: 1\n---\nb: 2", 2, 1, 3, "a second document starts here", "keep one"),
        ("? [a]\n: 1", 1, 3, 1, "a key must be a word", "write `key: value`"),
        ("a:\n\tb: 1", 2, 1, 1, "a tab", "use spaces"),
        ("a:\tx\n", 1, 3, 1, "a tab", "use spaces"),
        ("a: 1\t# one\n", 1, 5, 1, "a tab", "use spaces"),
        ("a:\t@\n", 1, 3, 1, "a tab", "use spaces"),
        ("a: b\x01", 1, 5, 1, "character U+0001 is not allowed", "remove it"),
        ("a: b\n\x0b: \x1b", 2, 1, 1, "character U+000B is not allowed", "remove it"),
        ("a: 1\r\nb: \x7f", 2, 4, 1, "character U+007F is not allowed", "remove it"),
        ("a: \udc80", 1, 4, 1, "character U+DC80 is not allowed", "remove it"),
        ("a: \x00", 1, 4, 1, "character U+0000 is not allowed", "remove it"),
        (r'a: "\x1b[31m"', 1, 4, 10, "holds the control character U+001B", "remove it"),
        (r'a: "\ud800"', 1, 4, 8, "holds the control character U+D800", "remove it"),
        (r'"\0": 1', 1, 1, 4, "holds the control character U+0000", "remove it"),
        (r'a: "\UFFFFFFFF"', 1, 5, 10, "there is no such character", "remove it"),
        ("a: .inf", 1, 4, 4, ".inf is not a finite number", "write one that is"),
        ("a: -.INF", 1, 4, 5, "-.INF is not a finite number", "write one that is"),
        ("a: .nan", 1, 4, 4, ".nan is not a finite number", "write one that is"),
        ("a: 1e999", 1, 4, 5, "1e999 is not a finite number", "write one that is"),
        ("a: " + "9" * 5000, 1, 4, 5000, "a number of 5000 digits", "write a shorter one"),
        ("a: 0x" + "f" * 5000, 1, 4, 5002, "a number of 5002 digits", "write a shorter one"),
        ("a: [1, 2", 1, 4, 1, "the bracket that opens here has no ]", "close it"),
        ("a: {b: 1\n\n", 1, 4, 1, "the bracket that opens here has no }", "close it"),
        ("a: [", 1, 4, 1, "the bracket that opens here has no ]", "close it"),
        ("a: [1, 2\nb: 3", 1, 4, 1, "the bracket that opens here has no ]", "close it"),
        ("a: ['b' c]", 1, 9, 1, "neither ',' nor ']'", "close it"),
        ("a: {b: 1]", 1, 9, 1, "neither ',' nor '}'", "close it"),
        ('a: "x\n', 1, 4, 1, "this quote is never closed", "close it"),
        ("a: b: c", 1, 5, 1, "a ':' where no key can stand", "check the indentation"),
        ("a: 1\n b: 2", 2, 3, 1, "a ':' where no key can stand", "check the indentation"),
        ("  a: 1\n b: 2", 2, 2, 1, "the indentation does not fit", "indent keys"),
        ("a: 1\nb\nc: 2", 2, 1, 1, "a key without ':'", "write `key: value`"),
        ("a: 'b' c", 1, 8, 1, "text after the end of a value", "quotes"),
        ("a: ]", 1, 4, 1, "] cannot begin a value", "put quotes"),
        ("a: @x", 1, 4, 1, "@ cannot begin a value", "put quotes"),
        ("a: `x`", 1, 4, 1, "` cannot begin a value", "put quotes"),
        ("%YAML 3.0\n---\na: 1", 1, 1, 1, "incompatible YAML document", "check"),
    ],
)
def test_what_is_refused(
    text: str, line: int, column: int, length: int, message: str, advice: str
) -> None:
    problem = refused(text)

    assert message in problem.message
    assert advice in problem.advice
    assert (problem.line, problem.column, problem.length) == (line, column, length)
    assert problem.origin == "my.yaml"
    assert problem.source[-1][0] == line


MANY = """\
a: 017
b: &x 1
a: 2
c: [.inf, *x]
d: {<<: *x, e: !own 1}
"""


def test_several_problems_of_one_text_are_all_found() -> None:
    tree = parse(MANY, "my.yaml")

    assert [(p.line, p.column, p.path, p.message) for p in tree.problems] == [
        (1, 4, "a", "017 has a leading zero"),
        (2, 4, "b", "anchor &x: a config has none"),
        (3, 1, "a", "duplicate key, first given at line 1, column 1"),
        (4, 5, "c[0]", ".inf is not a finite number"),
        (4, 11, "c[1]", "alias *x: a config has none"),
        (5, 5, "d.<<", "merge key <<: a config has none"),
        (5, 9, "d.<<", "alias *x: a config has none"),
        (5, 16, "d.e", "tag !own: a config has none"),
    ]
    assert tree.value == {"a": None, "b": 1, "c": [None, None], "d": {"e": "1"}}


@pytest.mark.parametrize(
    ("end", "last"),
    [
        ("b: [", "the bracket that opens here has no ]"),
        ("---\nb: 2", "a second document starts here"),
        ("b: " + "[" * 40 + "]" * 40, "nested deeper than 32 levels"),
        ("b: [" + "1," * 20_000 + "]", "more than 20,000 values"),
    ],
)
def test_where_reading_cannot_go_on_the_problems_before_are_told(end: str, last: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(f"a: 017\n{end}", "my.yaml")

    assert [problem.message for problem in caught.value.problems] == [
        "017 has a leading zero",
        last,
    ]


def test_a_text_of_nothing_but_problems_is_given_up() -> None:
    text = "".join(f"k{number}: 017\n" for number in range(500))

    with pytest.raises(ConfigError) as caught:
        parse(text, "my.yaml")

    assert len(caught.value.problems) == MAX_PROBLEMS


@pytest.mark.parametrize("depth", [31, 32, 500, 100_000])
def test_depth(depth: int) -> None:
    text = "a: " + "[" * depth + "]" * depth
    if depth == 31:  # with the mapping around it and the empty list inside
        assert parse(text, "my.yaml").problems == []
    else:
        problem = refused(text)
        assert problem.message == "nested deeper than 32 levels"
        assert (problem.line, problem.column) == (1, 35)


def test_depth_of_mappings() -> None:
    text = "".join(f"{' ' * level}k:\n" for level in range(40))

    assert refused(text).line == 33


def test_number_of_values() -> None:
    problem = refused("a: [" + "1," * 20_001 + "]")

    assert problem.message == "more than 20,000 values"
    just = parse("a: [" + "1," * 19_998 + "]", "my.yaml")  # the mapping and the list count too
    assert just.problems == []


def test_places_of_keys_and_values() -> None:
    tree = parse("model:\n  units: [16, 8]\n  b: {c: 'x y'}\n", "my.yaml")

    def where(path: tuple[str | int, ...], *, key: bool = False) -> tuple[int, int, int]:
        place = (tree.keys if key else tree.values)[path]
        return place.line, place.column, place.length

    assert where(("model",), key=True) == (1, 1, 5)
    assert where(("model", "units"), key=True) == (2, 3, 5)
    assert where(("model", "units")) == (2, 10, 7)
    assert where(("model", "units", 1)) == (2, 15, 1)
    assert where(("model", "b")) == (3, 6, 10)
    assert where(("model", "b", "c")) == (3, 10, 5)
    assert tree.written(("model", "b", "c")) == "'x y'"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x85", "\u2028"])
def test_lines_are_counted_as_yaml_counts_them(end: str) -> None:
    problem = refused(f"a: 1{end}# two{end}b: 017{end}")

    assert (problem.line, problem.column) == (3, 4)
    assert problem.source == ((2, "# two"), (3, "b: 017"))


# Files


def loaded(path: Path) -> Config:
    return load(SCHEMAS, "cnn", str(path)).config


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n\n",
        b"# nothing\n",
        b"---\n",
        b"null\n",
        b"\xef\xbb\xbf",
        b"{}",
    ],
)
def test_an_empty_file_means_the_defaults(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "empty.yaml"
    path.write_bytes(raw)

    assert loaded(path) == load(SCHEMAS, "cnn").config


def test_a_byte_order_mark_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "bom.yaml"
    path.write_bytes(b"\xef\xbb\xbfseed: 7\n")

    assert loaded(path).seed == 7


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("seed: 7".encode("utf-16"), "is UTF-16; a config is UTF-8"),
        (b"\xfe\xff" + "seed: 7".encode("utf-16-be"), "is UTF-16; a config is UTF-8"),
        ("seed: 7".encode("utf-16-le"), "is UTF-16 without a mark; a config is UTF-8"),
        ("seed: 7".encode("utf-16-be"), "is UTF-16 without a mark; a config is UTF-8"),
        ("seed: 7".encode("utf-32"), "is UTF-32; a config is UTF-8"),
        (b"\x00\x00\xfe\xff" + "seed: 7".encode("utf-32-be"), "is UTF-32; a config is UTF-8"),
        (b"#" * (MAX_BYTES + 1), "is larger than a config may be (524,288 bytes)"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, raw: bytes, message: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(raw)

    with pytest.raises(ConfigError) as caught:
        read_text(path)

    assert caught.value.message == f"{path} {message}"
    assert caught.value.hint


@pytest.mark.parametrize(
    ("raw", "line", "column", "message", "source"),
    [
        (
            "# Größe\n\n# für\n".encode("latin-1"),
            1,
            5,
            "byte 0xF6 is not UTF-8; in Windows-1252 it is 'ö'",
            ((1, "# Größe"),),
        ),
        (
            b"seed: 7\n# \xe9\n",
            2,
            3,
            "byte 0xE9 is not UTF-8; in Windows-1252 it is 'é'",
            ((1, "seed: 7"), (2, "# é")),
        ),
        (
            b"# \xc3\xa9\r\n\r\n# \x81",
            3,
            3,
            "byte 0x81 is not UTF-8; in Latin-1 it is '\\x81'",
            ((2, ""), (3, "# \x81")),
        ),
    ],
)
def test_a_byte_that_is_not_utf8_is_shown_in_its_line(
    tmp_path: Path,
    raw: bytes,
    line: int,
    column: int,
    message: str,
    source: tuple[tuple[int, str], ...],
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(raw)

    with pytest.raises(ConfigError) as caught:
        read_text(path)

    assert caught.value.message == f"{path} is not UTF-8 (line {line})"
    (problem,) = caught.value.problems
    assert (problem.origin, problem.line, problem.column) == (str(path), line, column)
    assert problem.message == message
    assert problem.advice == "save the file as UTF-8"
    assert problem.source == source


def test_the_largest_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    path.write_bytes(b"#" * MAX_BYTES)

    assert len(read_text(path)) == MAX_BYTES


def test_not_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.yaml")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.yaml").write_text("seed: 1\n")
    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")
    cases = {
        tmp_path / "none.yaml": ("does not exist", "check the path"),
        tmp_path / "loop.yaml": ("does not exist", "check the path"),
        tmp_path: ("is a folder", "give a YAML file"),
        tmp_path / "run": ("is a folder", f"give {tmp_path / 'run' / 'config.yaml'}"),
        tmp_path / "fifo.yaml": ("is not a regular file", "give a YAML file"),
        Path("/dev/zero"): ("is not a regular file", "give a YAML file"),
        tmp_path / ("n" * 300 + ".yaml"): ("cannot be read: File name too long", "check"),
    }
    for path, (message, hint) in cases.items():
        with pytest.raises(ConfigError) as caught:
            loaded(path)
        assert caught.value.message == f"{path} {message}"
        assert hint in str(caught.value.hint)


# Anything at all

VALID = """\
kind: cnn
seed: 42
data:
  source: digits
  size: 28
  classes: [1, 2, 3]
model:
  filters: [32, 64]
  activation: "relu"
training: {epochs: 15, learning_rate: 1e-3, early_stopping: {patience: 5}}
"""
PIECES = [
    *"\t\n\r :-?,[]{}#&*!|>'\"%@`~<.\\/0123456789aekxn_é中\x00\x1b\x85\u2028\ufeff\U0001f600",
    "\n  ", ": ", "- ", "---\n", "...\n", "&a ", "*a", "<<: ", "!!", "%YAML 1.2\n", "null", "1e9",
    "\\x", "\\U", "\\ud800", "0x", "0o", ".inf", "seed", "data:", "source", "training", "true",
    "99999999999999999999", "-", "[[[[", "{{{{", "? ", "|2\n", ">-\n", "folder", "path",
]  # fmt: skip


@st.composite
def mutants(draw: st.DrawFn) -> str:
    text = VALID
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.sampled_from([0, 0, 1, 3, 20])))
        text = text[:start] + draw(st.sampled_from(["", *PIECES])) + text[end:]
    return text


@settings(max_examples=200, deadline=None)
@given(st.one_of(mutants(), st.text(max_size=60), st.lists(st.sampled_from(PIECES)).map("".join)))
def test_any_text_is_a_config_or_its_problems(tmp_path_factory: object, text: str) -> None:
    folder = tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
    path = folder / "any.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))

    try:
        got = loaded(path)
    except ConfigError as error:
        check(error)
    else:
        assert isinstance(got, Config)


def check(error: ConfigError) -> None:
    """Every problem says something, at a place that the text has."""
    assert error.problems
    for problem in error.problems:
        assert problem.message
        if problem.line:
            last, source = problem.source[-1]
            assert last == problem.line
            assert 1 <= problem.column <= len(source) + 1


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.text(max_size=40),
        st.tuples(
            st.sampled_from(["seed", "data", "data.size", "model.filters", "training", "kind"]),
            st.lists(st.sampled_from(PIECES), max_size=6).map("".join),
        ).map("=".join),
    )
)
def test_any_set_is_a_config_or_its_problems(text: str) -> None:
    try:
        got = load(SCHEMAS, "cnn", None, [Override.from_set(text)]).config
    except UsageError:
        return
    assert isinstance(got, Config)
