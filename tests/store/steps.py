"""What tests of the store share: small files to load, all facts of a store, and what must always hold of it."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from core.load.load_file import load_file
from core.load.outcome import LoadOutcome
from core.quality.checks import CHECKS
from core.quality.report import run_checks
from core.store.generations.layout import StateMonth, layout_named
from core.store.generations.links.stable_links import stable_paths
from core.store.generations.manifest import read_manifest
from core.store.generations.retention.pins import read_pins
from core.store.generations.store import Store
from core.store.parquet.row_group_bounds import bounds, find_runs
from core.store.parquet.row_group_copier import read_footer, row_counts
from core.store.schema.tables import FACT_RATE
from core.tic.source import open_documents
from tests.built_once import BuiltOnce
from tests.rate_files import file_of, item_of
from tests.stores import open_snapshot

Row = dict[str, Any]

ERRORS = [check for check in CHECKS if check.severity == "error"]
"""Warnings take two thirds of the time of all checks."""

REFERENCES = [
    {"provider_group_id": n, "provider_groups": [{"npi": [1234567893], "tin": {"type": "ein", "value": str(n)}}]}
    for n in range(4)
]


UNLIKE_LAYOUTS = ("single", "state_month", "partitioned")
"""For costly tests. `monthly` is left out, which differs from `state_month` in nothing but the names of its shards."""


def content(number: int, rates: int = 6) -> bytes:
    """One of a few small files: three payers, two months, codes that they share."""
    percent = {"negotiated_type": "percentage", "negotiated_rate": 40 + number}
    items = [
        item_of(*(n * 7 % 13 + k for k in range(3)), code=str(70000 + n % 4), references=[n % 4, (n + 1) % 4])
        for n in range(rates)
    ]
    return json.dumps(
        file_of(
            *items,
            item_of(percent, 0, code=str(99999 - number), references=[1]),
            item_of("none", 5, code="0450", billing_code_type="RC", references=[2, 3]),
            last_updated_on=("2025-08-01", "2025-07-01")[number % 2],
            reporting_entity_name=("Payer, Inc.", "Ätna | Süd", "Payer Inc")[number % 3],
            provider_references=REFERENCES,
        )
    ).encode()


def load_made_file(store: Store, directory: Path, number: int, state: str = "GA", rates: int = 6) -> LoadOutcome:
    """Load one of the files."""
    path = directory / f"{number}.json"
    path.write_bytes(content(number, rates))
    return load_file(store, open_documents(path)[0], state)


def made_store(
    built_once: BuiltOnce, directory: Path, *loads: tuple[int, str], layout: str = "single", command: str = ""
) -> Store:
    """Return a store of some of the files, each for a state, below `directory`, as if they were loaded there."""

    def build(built: Path) -> None:
        store = Store(built / "data", layout, command=command)
        for number, state in loads:
            load_made_file(store, built, number, state)

    name = "-".join(("made", layout, command, *(f"{number}{state}" for number, state in loads)))
    built_once.copy(name, build, directory)
    return Store(directory / "data", layout, command=command)


def facts_of(store: Store) -> dict[str, Row]:
    """Every fact by its id, from the files that the manifest names: in runs, none twice, in the layout's shards."""
    manifest = store.manifest()
    found: dict[str, Row] = {}
    if manifest is None:
        return found
    layout = layout_named(manifest.layout)
    files = manifest.tables.get(FACT_RATE.name, ())
    assert layout.grows or len({file.shard for file in files}) == len(files)
    for file in files:
        path = store.root / file.path
        assert pq.read_schema(path).remove_metadata().equals(FACT_RATE.arrow)
        rows = pq.ParquetFile(path).read().to_pylist()
        keys = [tuple(row[name] for name in FACT_RATE.order) for row in rows]
        counts, start = row_counts(read_footer(path)), 0
        for run in find_runs(bounds(path, FACT_RATE.order)):
            end = start + sum(counts[run.start : run.stop])
            assert keys[start:end] == sorted(keys[start:end])
            start = end
        for row in rows:
            assert layout.shard(StateMonth(row["state"], row["year_month"])) == file.shard
            assert row["fact_uid"] not in found
            found[row["fact_uid"]] = row
    assert len(found) == manifest.rows(FACT_RATE.name)
    return found


def assert_tidy(store: Store) -> None:
    """No file that no manifest names, no work left, and every stable path opens the newest file and nothing else."""
    newest = store.manifest()
    assert newest is not None
    named = {file.path for file in newest.files}
    assert not list(store.root.glob(".*.next"))
    for path in (store.root / "manifests").iterdir():
        assert path.suffix == ".json"
        named |= {file.path for file in read_manifest(path.read_bytes(), path).files}
    there = [path for path in (store.root / "files").rglob("*") if not path.is_dir()]
    assert {str(path.relative_to(store.root)) for path in there} == named
    assert all(any(path.iterdir()) for path in (store.root / "files").rglob("*") if path.is_dir())
    assert not (store.root / "tmp").exists()
    assert_stable_paths(store)
    trees = [path for path in (store.root / "links").iterdir() if not path.is_symlink()]
    assert (store.root / "links" / "current").resolve() in trees
    kept = {path.stem for path in (store.root / "manifests").iterdir()}
    # A tree of an older version, named by a hash, stays for the grace time.
    assert all(path.name.split("-")[0] in kept or len(path.name) == 32 for path in trees)
    assert read_pins(store.root) == set()


def assert_stable_paths(store: Store) -> None:
    """Every stable path opens the newest file, and there is no other one."""
    newest = store.loaded()
    wanted = {store.root / link: (store.root / target).resolve() for link, target in stable_paths(newest).items()}
    for link, target in wanted.items():
        assert link.resolve() == target
        assert target.is_file()
    tree = (store.root / "links" / "current").resolve()
    assert tree.name.startswith(f"{newest.generation:06}")
    links = [path for path in tree.rglob("*") if path.is_symlink()]
    assert {path.resolve() for path in links} == set(wanted.values())
    assert len(links) == len(wanted)


def assert_sound(store: Store) -> None:
    """Check that the checks of severity error find nothing."""
    failed = run_checks(open_snapshot(store), checks=ERRORS).failed(("error",))
    assert failed == []
