"""Words read without pydantic are what Typer makes of them; wrong ones are left to Typer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import typer
from typer.main import get_command

from nncli import words
from nncli.cli import app
from nncli.words import Command

Names = Annotated[list[str] | None, typer.Argument()]


def text(x: str = "") -> str:
    return x


def number(x: int = 7) -> int:
    return x


def path(x: Path = Path("outputs")) -> Path:
    return x


def maybe(x: Path | None = None) -> Path | None:
    return x


def choice(x: Literal["light", "dark"] = "light") -> str:
    return x


def flag(x: bool = False) -> bool:
    return x


def several(x: list[str] | None = None) -> list[str] | None:
    return x


def numbers(x: list[int] | None = None) -> list[int] | None:
    return x


def names(x: Names = None) -> list[str] | None:
    return x


def required(x: Annotated[str, typer.Option()]) -> str:
    return x


def pair(x: tuple[str, int] = ("a", 1)) -> tuple[str, int]:
    return x


def small(x: Annotated[int, typer.Option(max=3)] = 1) -> int:
    return x


def there(x: Annotated[Path, typer.Option(exists=True, dir_okay=False)] = Path(__file__)) -> Path:
    return x


def loud(x: Annotated[str, typer.Option(parser=str.upper)] = "a") -> str:
    return x


FUNCTIONS = (
    *(text, number, path, maybe, choice, flag, several, numbers, names, required, pair),
    *(small, there, loud),
)
PLAIN = {text, number, path, maybe, choice, several, numbers, names, required, pair}
WORDS = (
    *("", "a", "light", "LIGHT", "é→×", "\udcff", "a\0b", "-", "/no/such/file", "/", __file__),
    *("0", "7", "-7", "-0", "+7", "007", "7.0", "7.5", "1_000", " 7", "٧", "1e3", "9" * 30, "x7"),
)


def read(function: Callable[..., Any], arguments: list[str], cls: type | None) -> Any:
    """What the command gets, with its type; or what is said instead."""
    one = typer.Typer(add_completion=False, rich_markup_mode=None)
    one.command(cls=cls)(function)
    try:
        value = get_command(one).main(arguments, "one", standalone_mode=False)
    except typer.TyperException as error:
        return type(error), error.format_message()
    inner = value if isinstance(value, (list, tuple)) else ()
    return type(value), [type(item) for item in inner], value


def lines(function: Callable[..., Any], word: str) -> list[list[str]]:
    if function is names:
        return [["--", word], ["--", word, "b"]]
    if function is pair:
        return [["--x", word, "7"], ["--x", "a", word]]
    return [["--x", word], [f"--x={word}"], ["--x", word, "--x", word]]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_words_are_read_as_typer_reads_them(function: Callable[..., Any]) -> None:
    every = [[], *(line for word in WORDS for line in lines(function, word))]
    if function is flag:
        every = [[], ["--x"], ["--no-x"]]
    for line in every:
        assert read(function, line, Command) == read(function, line, None), line


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_typer_is_asked_only_where_more_than_a_type_is_wanted(
    function: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("typer.core.build_runtime_param", asked)
    word = {choice: "dark", number: "12", numbers: "12"}.get(function, "a")
    line = ["--x", "a", "7"] if function is pair else ["b", "c"] if function is names else ["--x"]
    line += [word] if line == ["--x"] and function is not flag else []
    if function in PLAIN or function is flag:
        read(function, line, Command)
    else:
        with pytest.raises(AssertionError):
            read(function, line, Command)


def test_an_unreadable_file_is_left_to_typer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr("os.access", lambda *_: False)  # the tests may be run by root
    arguments = ["--x", str(tmp_path / "file")]
    found = read(path, arguments, Command)
    assert "not readable" in found[1]
    assert found == read(path, arguments, None)


def test_the_rules_are_all_that_a_parameter_can_ask() -> None:
    """Every setting of a parameter is a rule, or known to have nothing to do with its words."""
    known = {
        *("default", "param_decls", "callback", "metavar", "expose_value", "is_eager", "envvar"),
        *("shell_complete", "autocompletion", "default_factory", "show_default", "show_choices"),
        *("show_envvar", "help", "hidden", "rich_help_panel", "prompt", "confirmation_prompt"),
        *("prompt_required", "hide_input", "is_flag", "flag_value", "count"),
        *("allow_from_autoenv", "formats", "mode", "encoding", "errors", "lazy", "atomic"),
    }
    assert set(vars(typer.Option())) - known == set(words.RULES)


def test_every_command_reads_plainly() -> None:
    for group in (app, *(row.typer_instance for row in app.registered_groups)):
        assert group is not None
        assert {row.cls for row in group.registered_commands} == {Command}
