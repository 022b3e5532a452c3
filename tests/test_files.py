from __future__ import annotations

import errno
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from nncli import process
from nncli.errors import DiskError, ExitCode, Interrupted, RunError
from nncli.files import (
    check_writable,
    passing_folder,
    read_bytes,
    remove_partials,
    whole_file,
    whole_together,
    write_json,
    write_text,
)


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


def test_it_is_known_before_whether_a_file_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept", encoding="utf-8")
    for path in (tmp_path / "file", tmp_path / "new", tmp_path / "no" / "such" / "folder"):
        check_writable(path)
    with pytest.raises(RunError, match="it is a folder"):
        check_writable(tmp_path)
    with pytest.raises(RunError, match="file is no folder"):
        check_writable(tmp_path / "file" / "below")
    assert names(tmp_path) == ["file"]


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


def test_what_is_written_together_comes_together(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("old", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "old").touch()
    (tmp_path / "beside").touch()
    with whole_together(tmp_path / "one") as one:
        one.write_text("new", encoding="utf-8")
        (one.parent / "folder" / "inside").mkdir(parents=True)
        (one.parent / "folder" / "inside" / "new").touch()
        assert (tmp_path / "one").read_text(encoding="utf-8") == "old"
    assert (tmp_path / "one").read_text(encoding="utf-8") == "new"
    found = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*"))
    assert found == ["beside", "folder", "folder/inside", "folder/inside/new", "one"]


def test_what_is_not_written_whole_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "new" / "one"
    with pytest.raises(KeyboardInterrupt), whole_together(target) as one:  # noqa: PT012
        one.touch()
        raise KeyboardInterrupt
    assert list(target.parent.iterdir()) == []
    with pytest.raises(DiskError, match=str(target)), whole_together(target):
        raise OSError(errno.ENOSPC, "No space left on device")
    target.mkdir()
    (target / "old").touch()
    rename = Path.replace

    def fail(self: Path, to: Path) -> Path:
        if to == target and self.name == "one":
            raise OSError(errno.EIO, "failing disk")
        return rename(self, to)

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(DiskError), whole_together(target) as one:
        one.mkdir()
    assert [path.name for path in target.iterdir()] == ["old"]
    assert [path.name for path in target.parent.iterdir()] == ["one"]


def test_a_folder_that_was_not_finished_is_removed(tmp_path: Path) -> None:
    (tmp_path / "exports" / ".123.part").mkdir(parents=True)
    (tmp_path / "exports" / ".123.part" / "half.onnx").touch()
    (tmp_path / "exports" / "whole.onnx").touch()
    remove_partials(tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == ["exports", "whole.onnx"]


class TestPassingFolder:
    def test_it_is_there_while_it_is_used(self, tmp_path: Path) -> None:
        with passing_folder(tmp_path) as folder:
            assert folder.parent == tmp_path
            (folder / "a").mkdir()
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("call", ["mkdir", "unlink"])
    def test_a_signal_leaves_nothing_of_it(
        self, call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real, reached = getattr(os, call), []

        def signalled(*args: Any, **options: Any) -> None:
            real(*args, **options)
            os.kill(os.getpid(), signal.SIGINT)

        def use() -> None:
            with passing_folder(tmp_path) as folder:
                (folder / "a").touch()
                reached.append(folder)

        monkeypatch.setattr(os, call, signalled)
        handlers = process.catch_signals()
        try:
            with pytest.raises(Interrupted):
                use()
        finally:
            process.give_back_signals(handlers)

        assert len(reached) == (call == "unlink")
        assert list(tmp_path.iterdir()) == []


def test_a_system_may_give_less_of_a_file_than_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes(range(256)))
    really = os.read
    monkeypatch.setattr(os, "read", lambda file, count: really(file, min(count, 100)))
    assert read_bytes(path) == bytes(range(256))
    assert read_bytes(path, 256) == bytes(range(256))
    with pytest.raises(ValueError, match="256 bytes, at most 255"):
        read_bytes(path, 255)


def test_only_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(ValueError, match="no file"):
            read_bytes(path)
    with pytest.raises(FileNotFoundError):
        read_bytes(tmp_path / "none")
    (tmp_path / "empty").write_bytes(b"")
    assert read_bytes(tmp_path / "empty") == b""
