"""Templates can be read without scrolling sideways, and every table of many rows is on a page."""

import re
from pathlib import Path

import pytest

from tests.paths import ROOT

TEMPLATES = sorted(path for path in (ROOT / "templates").rglob("*.*") if path.suffix in {".html", ".jinja"})
LONGEST_LINE = 160


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(ROOT / "templates").as_posix())
def test_no_line_is_too_long(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    long = [number for number, line in enumerate(lines, 1) if len(line) > LONGEST_LINE]
    assert not long, f"{path}: wrap the lines {long}"


def test_every_table_is_on_a_page() -> None:
    tables = {path.stem for path in TEMPLATES if path.suffix == ".jinja"} - {"cells"}
    html = "\n".join(path.read_text(encoding="utf-8") for path in TEMPLATES if path.suffix == ".html")
    assert set(re.findall(r'\{% table "(\w+)"', html)) == tables


def test_every_macro_is_used() -> None:
    jinja = "\n".join(path.read_text(encoding="utf-8") for path in TEMPLATES if path.suffix == ".jinja")
    for name in re.findall(r"\{% macro (\w+)\(", jinja):
        assert re.search(rf"\{{\{{-? ?{name}\(", jinja), name
