"""Who may import whom, beyond what import-linter's contracts in pyproject.toml check."""

import ast
from pathlib import Path

from tests.paths import ROOT


def imported_modules(path: Path) -> set[str]:
    """Return the names of the modules that a file imports, and of what it imports from them."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
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
