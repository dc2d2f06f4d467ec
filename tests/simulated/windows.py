"""Windows, as far as the project could notice it: no fork, no links, no deleting of open files, other characters.

What is not simulated: backslashes in paths, and a disk that does not distinguish upper case from lower case.
"""

import ctypes
import errno
import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.simulated.hiding import allow_start_methods, caller, frame_above, hide, is_project, refuse_imports

_POSIX_ONLY = (
    "O_DIRECTORY", "O_CLOEXEC", "O_NOFOLLOW", "chown", "copy_file_range", "fchmod", "fchown", "fork", "forkpty",
    "getegid", "geteuid", "getgid", "getgroups", "getpgid", "getuid", "initgroups", "killpg", "lchown", "mkfifo",
    "mknod", "nice", "openpty", "posix_fadvise", "posix_fallocate", "posix_spawn", "pread", "pwrite", "readv",
    "register_at_fork", "sched_getaffinity", "sched_setaffinity", "sendfile", "setpgid", "setpriority", "setsid",
    "setuid", "statvfs", "sync", "sysconf", "uname", "wait3", "wait4", "writev",
)  # fmt: skip
_POSIX_SIGNALS = (
    "SIGKILL", "SIGHUP", "SIGQUIT", "SIGALRM", "SIGUSR1", "SIGUSR2", "SIGCHLD", "SIG_BLOCK", "SIG_SETMASK", "alarm",
    "pause", "pthread_kill", "pthread_sigmask", "setitimer", "sigwait",
)  # fmt: skip
_POSIX_MODULES = ("fcntl", "grp", "posix", "pty", "pwd", "readline", "resource", "syslog", "termios", "tty", "crypt")
_LIBRARIES = {"filelock", "multiprocessing", "tempfile"}
"""Modules that delete open files here because this is Linux. They do something else on Windows."""

_FORBIDDEN = re.compile(r'[<>:"|?*\\\x00-\x1f]|[. ]$|^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)', re.IGNORECASE)
"""What Windows accepts in no name of a file."""


class RefusedAccessError(PermissionError):
    """What Windows raises where something is in use."""

    def __init__(self, text: str, path: Any, winerror: int) -> None:
        super().__init__(errno.EACCES, text, os.fspath(path))
        self.winerror = winerror


class MissingPrivilegeError(OSError):
    """What Windows raises for a symbolic link that the user may not make."""

    def __init__(self, path: Any) -> None:
        super().__init__(errno.EINVAL, "A required privilege is not held by the client", os.fspath(path))
        self.winerror = 1314


def install() -> None:
    """Remove what Windows does not have."""
    allow_start_methods(["spawn"])
    hide(os, _POSIX_ONLY, {"name": "nt"})
    hide(signal, _POSIX_SIGNALS)
    hide(sys, [], {"platform": "win32"})
    refuse_imports([*_POSIX_MODULES, "multiprocessing.forkserver", "multiprocessing.resource_tracker"], ["gunicorn"])
    ctypes.WinDLL = _SystemLibrary  # type: ignore[attr-defined]
    os.fsync = _sync_what_is_open_for_writing(os.fsync)
    # Without these, Python deletes a folder path by path, as it does on Windows.
    os.supports_dir_fd.clear()
    sys.addaudithook(_check)


class _SystemLibrary:
    """kernel32.dll, of which nothing here can be called to an effect."""

    def __init__(self, name: str) -> None:
        self.name = name

    def SetConsoleCtrlHandler(self, _handler: None, _add: bool) -> int:  # noqa: N802 - as Windows calls it
        """Do nothing, successfully."""
        return 1


def _sync_what_is_open_for_writing(sync: Any) -> Any:
    import fcntl  # noqa: PLC0415 - the simulation's own means

    def fsync(descriptor: int) -> None:
        if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, "Bad file descriptor")
        sync(descriptor)

    return fsync


def _check(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse what Windows refuses. Python tells about each operation on files before doing it."""
    if event == "open":
        _check_open(arguments[0], arguments[2])
    elif event in {"os.remove", "os.rmdir"}:
        _refuse_in_use(arguments[0])
    elif event == "os.rename":
        _check_name(arguments[1])
        _refuse_in_use(arguments[0])
        _refuse_in_use(arguments[1])
        if Path(arguments[1]).is_dir():
            raise RefusedAccessError("Access is denied", arguments[1], 5)
    elif event == "os.symlink":
        raise MissingPrivilegeError(arguments[1])
    elif event in {"os.mkdir", "os.link"}:
        _check_name(arguments[1] if event == "os.link" else arguments[0])


def _check_open(path: Any, flags: int) -> None:
    if not isinstance(path, str | bytes | os.PathLike):
        return
    if str(path).startswith(("/proc/", "/dev/shm")) and is_project(frame_above(2)):
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)
    if flags & os.O_CREAT:
        _check_name(path)
    if is_project(frame_above(2)) and Path(os.fsdecode(path)).is_dir():
        raise PermissionError(errno.EACCES, "Permission denied", path)


def _check_name(path: Any) -> None:
    name = Path(os.fsdecode(path)).name
    if _FORBIDDEN.search(name):
        raise OSError(errno.EINVAL, "The filename, directory name, or volume label syntax is incorrect", name)


def _refuse_in_use(path: Any) -> None:
    if caller(frame_above(2)) in _LIBRARIES:
        return
    try:
        found = os.lstat(path)
    except (OSError, TypeError):
        return
    name = os.path.realpath(os.fsdecode(path))
    for opened in _open_files():
        inside = opened.path.startswith(f"{name}/")
        if inside or opened.path == name or opened.number == (found.st_dev, found.st_ino):
            text = "The process cannot access the file because it is being used by another process"
            raise RefusedAccessError(text, path, 32)


class _OpenFile(NamedTuple):
    """A file that a process of this session has open, or mapped into memory: its path, and its device and number."""

    path: str
    number: tuple[int, int]


def _open_files() -> Iterator[_OpenFile]:
    session = os.getsid(0)
    for process in os.listdir("/proc"):  # noqa: PTH208 - quick
        try:
            if process.isdigit() and os.getsid(int(process)) == session:
                yield from _files_of(process)
        except OSError:
            continue  # the process has ended meanwhile


def _files_of(process: str) -> Iterator[_OpenFile]:
    for number in os.listdir(f"/proc/{process}/fd"):  # noqa: PTH208
        try:
            link = f"/proc/{process}/fd/{number}"
            found = os.stat(link)  # noqa: PTH116
            yield _OpenFile(os.readlink(link), (found.st_dev, found.st_ino))  # noqa: PTH115
        except OSError:
            continue
    for line in Path(f"/proc/{process}/maps").read_text(encoding="utf-8").splitlines():
        fields = line.split(None, 5)
        if len(fields) == 6 and fields[5].startswith("/"):
            yield _OpenFile(fields[5], (-1, -1))
