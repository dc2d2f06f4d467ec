"""Who may import whom, beyond what import-linter's contracts in pyproject.toml check."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.paths import ROOT


def imported_modules(path: Path) -> set[str]:
    """Return the names of the modules that a file imports, and of what it imports from them."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_no_module_imports_a_test_module_or_a_conftest() -> None:
    # Imported, a test module is collected twice and its fixtures come along; a conftest is pytest's to import.
    # Helpers that tests share have modules of their own.
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for folder in ("tests", "bench", "core", "beaconpoint")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for name in sorted(imported_modules(path))
        if any(part == "conftest" or part.startswith("test_") for part in name.split("."))
    ]
    assert not wrong, "move what is shared to a helper module:\n" + "\n".join(wrong)


def floors() -> list[list[str]]:
    """Return the rooms of each floor of the first contract, from the top."""
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    return [[room.strip() for room in floor.split("|")] for floor in options["contracts"][0]["layers"]]


def files_of(room: str) -> list[Path]:
    """Return the files of a room, which is a package or a single module."""
    path = ROOT / room.replace(".", "/")
    return sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]


def strings_of(path: Path) -> Iterator[str]:
    """Yield the strings of a file that are not documentation."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.value


def test_every_room_of_core_is_on_a_floor() -> None:
    rooms = {path.stem for path in (ROOT / "core").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    named = {room.removeprefix("core.") for floor in floors() for room in floor}
    assert rooms - {"__init__", "apps"} == named - {"beaconpoint"}


def test_no_module_names_a_higher_room_in_a_string() -> None:
    # An import by name ("core.load.worker_tasks") turns the floors around where import-linter does not see it.
    wrong = []
    higher: list[str] = []
    for floor in floors():
        if higher:
            rooms = re.compile(rf"\b({'|'.join(map(re.escape, higher))})\.\w")
            for path in [path for room in floor for path in files_of(room)]:
                name = path.relative_to(ROOT)
                wrong += [f"{name} names {text!r}" for text in strings_of(path) if rooms.search(text)]
        higher += [room for room in floor if room != "beaconpoint"]  # its settings and wsgi are named, as Django wants
    assert not wrong, wrong
