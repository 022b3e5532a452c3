from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.text import Text

from nncli.report.table import Column, print_table


def printed(width: int, columns: list[Column]) -> list[str]:
    out = io.StringIO()
    print_table(Console(file=out, width=width, color_system=None), columns)
    return out.getvalue().splitlines()


def columns() -> list[Column]:
    return [
        Column("class", [Text("cat"), Text("猫")], "left"),
        Column("train", [Text("12"), Text("3,456")]),
        Column("all", [Text("123,456"), Text("1")], drop=1),
        Column("", [Text("████"), Text("█")], "left", drop=2),
    ]


def test_names_stand_left_and_numbers_right() -> None:
    assert printed(80, columns()) == [
        "class   train       all",
        "──────────────────────────────",
        "cat        12   123,456   ████",
        "猫      3,456         1   █",
    ]


@pytest.mark.parametrize(
    ("width", "titles", "widest"),
    [(30, "class   train       all", 30), (28, "class  train      all", 27),
     (26, "class   train       all", 23), (22, "class  train      all", 21),
     (20, "class   train", 13), (12, "class  train", 12), (3, "class  train", 12)],
)  # fmt: skip
def test_columns_drop_out_and_numbers_stay_whole(width: int, titles: str, widest: int) -> None:
    lines = printed(width, columns())

    assert lines[0] == titles
    assert len(lines[1]) == widest
    assert "3,456" in lines[3]


@pytest.mark.parametrize("count", [97, 98, 99, 250])  # Rich is given 100 lines at a time
def test_no_line_of_a_long_table_is_lost(count: int) -> None:
    names = [f"run-{i:03}" for i in range(count)]
    column = Column("run", [Text(name) for name in names], "left")
    assert printed(80, [column]) == ["run", "───────", *names]
