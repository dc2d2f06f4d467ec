"""What an analyst does on a laptop, command by command, and what must be there afterwards."""

import re
from pathlib import Path

import polars as pl

from core.store.generations.links.stable_links import stable_paths
from core.store.generations.store import Store
from tests.simulated.run import Told, fetch, run_commands

NAME = re.compile(r"[A-Za-z0-9._=-]*[A-Za-z0-9]")
"""The names of files that every system accepts."""

RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def walk_through(system: str, folder: Path) -> list[Told]:
    """Run every command that a laptop needs on a simulated system, and return what each has said.

    They begin with the files and the data of the demo, which are in `folder / "demo"`.
    """
    demo = folder / "demo"
    sources = demo / "sources"
    return run_commands(
        system,
        demo / "data",
        folder,
        ["ingest_mrf", "--state", "SC", sources / "2025-08-01_p*"],
        ["load_nppes", sources / "n*_demo.csv"],
        ["load_benchmark", "medicare_prof", sources / "*2025_demo.csv", sources / "PPRRVU*"],
        ["dq_check"],
        ["correct_rates", "--state", "SC", "--code", "99213", "--dry-run"],
        ["correct_rates", "--state", "SC", "--code", "99213", "--reason", "a try"],
        ["correct_rates", "--undo", "1"],
        ["reshard", "--to", "partitioned"],
        ["ingest_mrf", "--state", "AL", sources / "2025-07-01_peach*"],
        ["compact", "--all"],
        ["copy_by_group"],
        ["reshard", "--to", "single"],
        ["upgrade"],
        ["store", "generations"],
        ["store", "backup", folder / "backup"],
        ["store", "rollback", "3"],
        ["store", "restore", "--force", folder / "backup"],
        ["store", "repair"],
        ["store", "verify", "--deep"],
        ["data_dictionary"],
    )


def check_stable_paths(root: Path) -> None:
    """Check that each stable path opens the rows of its table's file."""
    manifest = Store(root).loaded()
    rows = {file.path: file.rows for file in manifest.files}
    paths = stable_paths(manifest)
    assert "gold/fact_rate.parquet" in paths
    for path, target in paths.items():
        assert pl.scan_parquet(root / path).select(pl.len()).collect().item() == rows[target], path
        assert (root / path).read_bytes() == (root / target).read_bytes()


def check_page(address: str) -> None:
    """Check that the site answers with the rates of the demo."""
    page = fetch(f"{address}/rates/?state=GA&year_month=2025-08&code_type=CPT&code=99213")
    assert "Example Peach Health Plan" in page


def check_names(root: Path) -> None:
    """Check that every system accepts the names of all files, that none is too long, and that case does not matter."""
    names = [path.relative_to(root) for path in root.rglob("*")]
    assert names
    for name in names:
        for part in name.parts:
            assert NAME.fullmatch(part), name
            assert not RESERVED.fullmatch(part), name
        assert len(str(name)) <= 120, name
    assert len({str(name).lower() for name in names}) == len(names)
