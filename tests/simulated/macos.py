"""macOS on Apple silicon, as far as the project could notice it."""

import errno
import os
import sys
from typing import Any

from tests.simulated.hiding import allow_start_methods, frame_above, hide, is_project, refuse_imports


def install() -> None:
    """Remove what macOS does not have."""
    allow_start_methods(["spawn", "fork", "forkserver"])
    hide(os, ["sched_getaffinity", "posix_fadvise", "copy_file_range", "memfd_create"], {"sendfile": _send_to_sockets})
    hide(sys, [], {"platform": "darwin"})
    refuse_imports(["spwd", "crypt", "ossaudiodev"])
    sys.addaudithook(_check)


def _send_to_sockets(*_arguments: Any) -> int:
    raise OSError(errno.ENOTSOCK, "Socket operation on non-socket")


def _check(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and str(arguments[0]).startswith(("/proc/", "/dev/shm")) and is_project(frame_above(1)):
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", arguments[0])
