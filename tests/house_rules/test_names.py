"""One name, one meaning: no class or type alias of core is defined in two modules."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.paths import ROOT

REPEATED = {
    "Command": "Django finds a command by this name",
}
"""Names that several modules define, and why."""


def types_defined_in(path: Path) -> Iterator[str]:
    """Yield the names of a module's classes and type aliases, which are written in capitals and lower case."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign) and "TypeVar(" not in ast.unparse(node):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Name) and target.id.lstrip("_")[:1].isupper() and not target.id.isupper():
                    yield target.id


def test_a_name_of_a_type_has_one_meaning() -> None:
    modules = defaultdict(list)
    for path in sorted((ROOT / "core").rglob("*.py")):
        for name in types_defined_in(path):
            modules[name].append(str(path.relative_to(ROOT)))
    repeated = {name: found for name, found in modules.items() if len(found) > 1 and name not in REPEATED}
    assert not repeated, "\n".join(f"{name}: {', '.join(found)}" for name, found in repeated.items())
