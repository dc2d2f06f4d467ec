"""The README and docs/ name files that are there."""

import re
from pathlib import Path

import pytest
from django.test import Client

from bench.mutation.areas import AREAS
from tests.paths import ROOT
from tests.site import tables, text_of

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_path_that_a_document_names_is_there(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:core|tests|docs|templates|static|deploy|beaconpoint|bench)/[\w./-]*)", text))
    ignored = {"core/data"}  # made by the first load
    missing = [
        name
        for name in sorted(named)
        if name not in ignored
        and not name.startswith("core/data/")
        and not (ROOT / name).exists()
        and not (ROOT / f"{name}.py").exists()
    ]
    assert not missing, f"{document.relative_to(ROOT)} names files that are not there: {missing}"


def test_every_benchmark_that_a_document_runs_is_there() -> None:
    named = {name for document in DOCUMENTS for name in re.findall(r"-m (bench\.\w+)", document.read_text())}
    assert named
    paths = {name: ROOT / name.replace(".", "/") for name in sorted(named)}
    runs = {name: path.with_suffix(".py").exists() or (path / "__main__.py").exists() for name, path in paths.items()}
    assert [name for name, found in runs.items() if not found] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_of_a_document_leads_to_a_file(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8"))
    missing = [
        target for target in targets if not re.match(r"[a-z]+:", target) and not (document.parent / target).exists()
    ]
    assert not missing


def test_the_readme_shows_what_the_page_shows(site: Client) -> None:
    (sample,) = re.findall(r"^```\n(CPT 70450.*?)```", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    page = site.get("/medicare/", {"state": "GA", "year_month": "2025-08", "code_type": "CPT", "code": "70450"})
    first, second, *lines = [re.split(r"\s{2,}", line) for line in sample.splitlines() if line]
    text = text_of(page)
    assert all(" ".join(words.split()) in text for words in [*first, *second])
    rows = [[cell.removesuffix(" rates") for cell in row] for table in tables(page) for row in table]
    for cells in lines:
        if cells[0] != "Not compared":  # a heading of the page
            assert any(row[: len(cells)] == cells for row in rows), cells


def test_the_modules_and_tests_of_mutation_testing_are_there() -> None:
    named = [argument for area in AREAS.values() for argument in (*area.modules, *area.tests)]
    paths = [argument.removeprefix("--deselect=").partition("::")[0] for argument in named]
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_index_of_decisions_lists_each_with_its_title() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"^\| (\d+) \| \[(.*?)\]\((.*?)\) \| .+ \|$", (folder / "README.md").read_text(), re.MULTILINE)
    titles = {path.name: path.read_text().splitlines()[0] for path in sorted(folder.glob("0*.md"))}
    assert {name: f"# {number}. {title}" for number, title, name in listed} == titles
