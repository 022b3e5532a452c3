from __future__ import annotations

import json
from pathlib import Path

import pytest

from nncli.errors import DiskError, ExitCode, RunError
from nncli.files import whole_file, write_json, write_text


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_a_new_file_is_there_whole(tmp_path: Path) -> None:
    with whole_file(tmp_path / "a" / "b" / "model.keras") as partial:
        assert partial.suffix == ".keras"
        assert partial.parent == tmp_path / "a" / "b"
        partial.write_bytes(b"half")
        assert not (tmp_path / "a" / "b" / "model.keras").exists()
        partial.write_bytes(b"whole")
    assert (tmp_path / "a" / "b" / "model.keras").read_bytes() == b"whole"
    assert names(tmp_path / "a" / "b") == ["model.keras"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, MemoryError])
def test_an_exception_in_the_middle_leaves_the_old_file(
    error: type[BaseException], tmp_path: Path
) -> None:
    path = tmp_path / "metrics.json"
    path.write_text("old", encoding="utf-8")

    def write() -> None:
        with whole_file(path) as partial:
            partial.write_text("half", encoding="utf-8")
            raise error("in the middle")

    with pytest.raises(error):
        write()
    assert path.read_text(encoding="utf-8") == "old"
    assert names(tmp_path) == ["metrics.json"]


def test_a_full_disk_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    path.write_text("old", encoding="utf-8")

    def write() -> None:
        with whole_file(path) as partial:
            partial.write_text("half", encoding="utf-8")
            raise OSError(28, "No space left on device")

    with pytest.raises(DiskError, match="No space left") as caught:
        write()
    assert str(path) in caught.value.message
    assert caught.value.exit_code == ExitCode.FAILED
    assert path.read_text(encoding="utf-8") == "old"
    assert names(tmp_path) == ["metrics.json"]


def test_a_file_or_a_folder_in_the_way_is_a_run_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept", encoding="utf-8")
    with pytest.raises(RunError, match="cannot write"):
        write_text(tmp_path / "file" / "below", "text")
    (tmp_path / "folder").mkdir()
    with pytest.raises(RunError, match="cannot write"):
        write_text(tmp_path / "folder", "text")
    with pytest.raises(RunError, match="cannot write"):
        write_text(tmp_path / ("n" * 300), "text")
    assert names(tmp_path) == ["file", "folder"]
    assert (tmp_path / "file").read_text(encoding="utf-8") == "kept"


def test_text_is_written_as_it_is(tmp_path: Path) -> None:
    write_text(tmp_path / "t", "é\r\n\n")
    assert (tmp_path / "t").read_bytes() == "é\r\n\n".encode()


def test_json_has_null_for_what_is_not_finite(tmp_path: Path) -> None:
    document = {"b": float("nan"), "a": [float("inf"), 0.1 + 0.2], "c": {"d": (1, "é")}}
    write_json(tmp_path / "a.json", document, sort=True)
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads(text) == {"b": None, "a": [None, 0.1 + 0.2], "c": {"d": [1, "é"]}}
    assert list(json.loads(text)) == ["a", "b", "c"]
    assert text.endswith("}\n")
