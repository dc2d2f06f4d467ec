"""Which of two files of the same release is the newer."""

from pathlib import Path

import pytest

from core.reference.medicare.items.issues import Issue, choose_newest, read_issue
from core.reference.spreadsheets import Sheet
from core.runtime.errors import ReferenceFileError


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("section 508 version of Jan 2025 ASP Pricing File updated 030725.csv", Issue("2025-03-07")),
        ("Oct 2025 ASP Pricing File 091725.csv", Issue("2025-09-17")),
        ("asp-12182024-corrected-03-07-2025.csv", Issue("2025-03-07")),
        ("dme25-a (revised 1.6.25).zip", Issue("2025-01-06")),
        ("asp_2025-03-07.csv", Issue("2025-03-07")),
        ("asp 20250307.csv", Issue("2025-03-07")),
        ("CLFS 2025 Q1V2.csv", Issue("", 2)),
        ("25CLABQ1V10.txt", Issue("", 10)),
        ("CLFS 2025 Q1V1.csv", Issue("", 1)),
        ("DMEPOS_JAN.csv", Issue()),
        ("file 991399.csv", Issue()),  # no such day
        ("PPRRVU2025_Oct.csv", Issue()),
    ],
)
def test_the_name_tells_the_issue(name: str, expected: Issue) -> None:
    assert read_issue(name) == expected


def test_only_issues_of_one_sort_are_compared() -> None:
    assert Issue("2025-01-01").is_older(Issue("2025-03-07"))
    assert Issue("", 1).is_older(Issue("", 2))
    assert not Issue("2025-03-07").is_older(Issue("2025-03-07"))
    assert not Issue().is_older(Issue("2025-03-07"))
    assert not Issue().is_older(Issue("", 2))
    assert not Issue("2025-03-07").is_older(Issue("", 2))


def sheets(*names: str) -> list[Sheet]:
    return [Sheet(Path(name), "", "", []) for name in names]


def test_the_newest_issue_is_chosen_in_any_order() -> None:
    names = ["asp 120124.csv", "asp updated 030725.csv", "asp.csv"]
    for given in (names, names[::-1]):
        newest, release, notes = choose_newest(sheets(*given), lambda _: "2025-01")
        assert (newest.name, release) == ("asp updated 030725.csv", "2025-01")
        assert sorted(notes) == [
            "asp 120124.csv is left out: asp updated 030725.csv is a newer issue of the same release",
            "asp.csv is left out: asp updated 030725.csv is a newer issue of the same release",
        ]


def test_of_the_same_table_in_several_formats_the_exact_one_is_chosen() -> None:
    newest, _, notes = choose_newest(sheets("x V1.txt", "CLFS Q1V1.xlsx", "CLFS Q1V1.csv"), lambda _: "2025-01")
    assert newest.name == "CLFS Q1V1.csv"
    assert "CLFS Q1V1.xlsx is left out: CLFS Q1V1.csv is the same table in another format" in notes


def test_files_of_two_releases_are_refused() -> None:
    with pytest.raises(ReferenceFileError, match=r"a.csv is of 2025-01, b.csv is of 2025-04; load one release"):
        choose_newest(sheets("a.csv", "b.csv"), lambda sheet: "2025-01" if sheet.name == "a.csv" else "2025-04")
