"""Files are replaced, deleted, and copied where Windows or macOS refuse what Linux allows."""

import errno
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from core.runtime.files import copy_bytes, delete_file, read_replaced_file, replace_file
from tests.simulated.windows import RefusedAccessError


class Refusing:
    """A function of Path that Windows refuses a number of times, as it does while a reader has the file open."""

    def __init__(self, function: Any, times: int, winerror: int = 32) -> None:
        self.function = function
        self.times = times
        self.winerror = winerror
        self.calls = 0

    def __get__(self, path: Path, _kind: type[Path]) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            self.calls += 1
            if self.calls <= self.times:
                raise RefusedAccessError("in use", path, self.winerror)
            return self.function(path, *arguments, **options)

        return call


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    new, old = tmp_path / "new", tmp_path / "old"
    new.write_bytes(b"new")
    old.write_bytes(b"old")
    return new, old


@pytest.mark.parametrize("winerror", [5, 32, 33])
def test_a_file_is_replaced_once_its_readers_have_gone(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, winerror: int
) -> None:
    refusing = Refusing(Path.replace, 4, winerror)
    monkeypatch.setattr(Path, "replace", refusing)
    replace_file(*files)
    assert files[1].read_bytes() == b"new"
    assert refusing.calls == 5


def test_a_file_that_stays_open_is_not_waited_for_without_end(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "replace", Refusing(Path.replace, 10**9))
    with pytest.raises(PermissionError):
        replace_file(*files, seconds=0.1)
    assert files[1].read_bytes() == b"old"


def test_a_missing_right_is_an_error_at_once(files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(PermissionError):
        replace_file(*files, seconds=10**9)
    with pytest.raises(PermissionError):
        delete_file(files[0])


def test_a_file_that_is_being_replaced_is_read_afterwards(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "read_bytes", Refusing(Path.read_bytes, 3))
    assert read_replaced_file(files[0]) == b"new"
    monkeypatch.setattr(Path, "read_bytes", Refusing(Path.read_bytes, 10**9))
    with pytest.raises(PermissionError):
        read_replaced_file(files[0], seconds=0.1)


def test_a_file_in_use_is_left_for_later(files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "unlink", Refusing(Path.unlink, 1))
    assert not delete_file(files[0])
    assert files[0].exists()
    assert delete_file(files[0])
    assert not files[0].exists()
    assert delete_file(files[0])  # it is missing already


def refuse_to_send(*_arguments: object) -> int:
    raise OSError(errno.ENOTSOCK, "Socket operation on non-socket")  # macOS sends to sockets only


def send_a_little(target: int, source: int, start: int, count: int) -> int:
    return os.write(target, os.pread(source, min(3, count), start)) if start < 30 else refuse_to_send()


@pytest.mark.parametrize("sendfile", ["linux", "windows", refuse_to_send, send_a_little])
def test_bytes_are_copied_with_the_kernel_and_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sendfile: Any
) -> None:
    if sendfile == "windows":
        monkeypatch.delattr(os, "sendfile")
    elif sendfile != "linux":
        monkeypatch.setattr(os, "sendfile", sendfile)
    content = bytes(range(256)) * 20_000
    (tmp_path / "from").write_bytes(content)
    with (tmp_path / "from").open("rb") as source, (tmp_path / "to").open("wb") as target:
        target.write(b"head")
        copy_bytes(source, target, 7, 4_000_000)
        copy_bytes(source, target, 0, 5)
        target.write(b"tail")
        with pytest.raises(EOFError):
            copy_bytes(source, target, len(content) - 5, 6)
    assert (tmp_path / "to").read_bytes().startswith(b"head" + content[7:4_000_007] + content[:5] + b"tail")


def test_a_full_disk_is_an_error_while_copying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(*_arguments: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "sendfile", fill)
    (tmp_path / "from").write_bytes(b"12345")
    with (
        (tmp_path / "from").open("rb") as source,
        (tmp_path / "to").open("wb") as target,
        pytest.raises(OSError, match="No space left"),
    ):
        copy_bytes(source, target, 0, 5)


def test_a_reader_that_closes_the_file_lets_the_writer_go_on(files: tuple[Path, Path]) -> None:
    """On Linux nobody waits for anybody. This is the writer that waits, with a reader that does close the file."""
    closed = threading.Event()

    class Manifest(type(files[0])):  # type: ignore[misc]
        def replace(self, target: Any) -> Any:
            if not closed.is_set():
                raise RefusedAccessError("in use", target, 5)
            return super().replace(target)

    timer = threading.Timer(0.2, closed.set)
    timer.start()
    replace_file(Manifest(files[0]), files[1])
    timer.join()
    assert files[1].read_bytes() == b"new"
