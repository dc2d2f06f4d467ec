"""The program's code uses nothing that only Linux has, but where it says what happens elsewhere."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.paths import ROOT

POSIX_MODULES = {"crypt", "fcntl", "grp", "posix", "pty", "pwd", "readline", "resource", "syslog", "termios", "tty"}

POSIX_NAMES = {
    "os": {
        "O_DIRECTORY", "chown", "execl", "execv", "execve", "execvp", "fchmod", "fchown", "fork", "fsync", "getegid",
        "geteuid", "getgid", "getpgid", "getuid", "kill", "killpg", "mkfifo", "nice", "posix_fadvise", "pread",
        "pwrite", "register_at_fork", "rename", "replace", "sched_getaffinity", "sched_setaffinity", "sendfile",
        "setsid", "statvfs", "symlink", "sync", "sysconf", "uname", "wait4", "waitpid",
    },
    "signal": {
        "SIGALRM", "SIGCHLD", "SIGHUP", "SIGKILL", "SIGQUIT", "SIGUSR1", "SIGUSR2", "alarm", "pthread_kill",
        "pthread_sigmask", "setitimer", "sigwait",
    },
    "multiprocessing": {"forkserver", "resource_tracker"},
    "socket": {"AF_UNIX", "SO_REUSEPORT"},
}  # fmt: skip
"""What some system lacks, or does otherwise."""

ALLOWED = {
    "core/cluster/running/load_job.py": {"os.sysconf", "resource"},
    "core/runtime/files.py": {"os.fsync"},
    "core/runtime/workers.py": {
        "multiprocessing.forkserver", "multiprocessing.resource_tracker", "os.sysconf", "signal.pthread_sigmask",
    },
    "core/management/commands/demo.py": {"os.execve"},
    "core/store/generations/ownership.py": {"os.geteuid", "pwd"},
}  # fmt: skip
"""Where the code itself looks what the system has. The simulated systems run these modules."""

SERVER_ONLY = {"beaconpoint/gunicorn.conf.py"}
"""What is run by gunicorn, which Windows does not have."""


def modules() -> Iterator[Path]:
    """Yield the program's modules."""
    for folder in ("core", "beaconpoint"):
        yield from sorted(
            path for path in (ROOT / folder).rglob("*.py") if str(path.relative_to(ROOT)) not in SERVER_ONLY
        )
    yield ROOT / "manage.py"


def posix_uses(tree: ast.AST) -> Iterator[str]:
    """Yield the names of a module that not every system has."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.partition(".")[0] in POSIX_MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module.partition(".")[0] in POSIX_MODULES:
                yield node.module
            names = POSIX_NAMES.get(node.module, set())
            yield from (f"{node.module}.{alias.name}" for alias in node.names if alias.name in names)
        elif isinstance(node, ast.Attribute) and node.attr in POSIX_NAMES.get(ast.unparse(node.value), set()):
            yield ast.unparse(node)


def text_files_without_encoding(tree: ast.AST) -> Iterator[int]:
    """Yield the lines that open, read, or write a text file in the encoding of the system."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or any(keyword.arg in {"encoding", None} for keyword in node.keywords):
            continue
        called = ast.unparse(node.func)
        opens = re.fullmatch(r"open|(?!os\.|igzip\.|archive\.|webbrowser\.).*\.open", called)
        if (
            (opens and not re.search(r"'[rwxa+]*b[+]?'", ast.unparse(node)))
            or (called.endswith(".read_text") and not node.args)
            or (called.endswith(".write_text") and len(node.args) < 2)
        ):
            yield node.lineno


def native_paths_as_text(tree: ast.AST) -> Iterator[int]:
    """Yield the lines that turn a relative path into text with the system's own separators."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "str" and node.args:
            inner = node.args[0]
            if isinstance(inner, ast.Call) and getattr(inner.func, "attr", "") in {"relative_to", "with_suffix"}:
                yield node.lineno


def found(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    name = path.relative_to(ROOT).as_posix()
    uses = [use for use in posix_uses(tree) if use not in ALLOWED.get(name, set())]
    return [
        *(f"{name}: {use} is not on every system; see core/runtime/files.py and workers.py" for use in uses),
        *(f"{name}:{line}: a text file without encoding=" for line in text_files_without_encoding(tree)),
    ]


def test_the_program_uses_what_every_system_has() -> None:
    assert [problem for path in modules() for problem in found(path)] == []


def test_what_is_allowed_is_still_there() -> None:
    for name, uses in ALLOWED.items():
        assert uses <= set(posix_uses(ast.parse((ROOT / name).read_text(encoding="utf-8")))), name


def test_paths_in_the_store_have_slashes() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sorted((ROOT / "core" / "store").rglob("*.py"))
        for line in native_paths_as_text(ast.parse(path.read_text(encoding="utf-8")))
        if "as_posix" not in path.read_text(encoding="utf-8").splitlines()[line - 1]
    ]
    assert wrong == [], "write path.relative_to(root).as_posix()"


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("import fcntl", 1),
        ("from resource import getrusage", 1),
        ("import os\nos.fork()", 1),
        ("from os import sendfile", 1),
        ("from multiprocessing import forkserver", 1),
        ("path.open()", 1),
        ("path.open('w', newline='')", 1),
        ("open(path)", 1),
        ("path.read_text()", 1),
        ("path.read_text('utf-8')", 0),
        ("path.write_text(text)", 1),
        ("path.write_text(text, 'utf-8')", 0),
        ("path.write_text(text, encoding='utf-8')", 0),
        ("path.open('rb')", 0),
        ("path.open('r+b' if more else 'wb')", 0),
        ("path.open('r', encoding='utf-8')", 0),
        ("os.open(path, os.O_RDONLY)", 0),
        ("import os\ngetattr(os, 'sched_getaffinity', None)", 0),
    ],
)
def test_what_is_looked_for_is_found(code: str, count: int) -> None:
    tree = ast.parse(code)
    assert len([*posix_uses(tree), *text_files_without_encoding(tree)]) == count


def test_native_paths_are_found() -> None:
    assert list(native_paths_as_text(ast.parse("str(path.relative_to(root))"))) == [1]
    assert list(native_paths_as_text(ast.parse("path.relative_to(root).as_posix()"))) == []
