"""Releases in the store against a dictionary of rows, in whichever order they are loaded."""

from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.reference.benchmark_release import NATION, LoadedBenchmark, encode_text_columns, encode_texts, put_release
from core.runtime.errors import ReferenceFileError
from core.store.generations.store import Store
from core.store.schema.tables import BENCH_ASC, BENCH_MEDICARE_PROF_LOCALITY
from tests.stores import open_snapshot

RELEASES = ["2024-10", "2025-01", "2025-04", "2025-10", "2026-01"]
CODES = ["00100", "99213", "G0439"]

national = st.tuples(st.just(NATION), st.sets(st.sampled_from(["AL", "GA", "TX"]), min_size=1))
of_one_state = st.sampled_from(["AL", "GA", "TX"]).map(lambda state: (state, {state}))


def months(release: str, loaded: set[str]) -> list[str]:
    """From the release's month to December, or to the month before the next release."""
    later = [other for other in loaded if other > release]
    every = [f"{release[:4]}-{n:02}" for n in range(1, 13)]
    return [month for month in every if month >= release and all(month < other for other in later)]


def loaded(release: str, state: str, states: set[str]) -> LoadedBenchmark:
    return LoadedBenchmark("asc", release, ("a.csv",), 3, 2, {"packaged": 1}, tuple(sorted(states)), state=state)


@given(
    st.sampled_from([national, of_one_state]).flatmap(
        lambda scopes: st.lists(
            st.tuples(st.sampled_from(RELEASES), scopes, st.integers(1, 99)), min_size=1, max_size=6
        )
    )
)
def test_the_table_is_what_a_dictionary_of_rows_is(loads: list[tuple[str, tuple[str, set[str]], int]]) -> None:
    expected: dict[tuple[str, str, str], tuple[str, float]] = {}
    releases: dict[str, set[str]] = {}
    localities: dict[tuple[str, str], float] = {}
    with TemporaryDirectory() as directory:
        store = Store(Path(directory))
        for release, (scope, states), amount in loads:

            def rows_of(state: str, release: str = release, amount: int = amount) -> pl.DataFrame:
                types = ["HCPCS" if code[0] == "G" else "CPT" for code in CODES]
                rows = pl.DataFrame({"code": CODES, "code_type": types, "asc_mar_stateavg": [float(amount)] * 3})
                nulls = [pl.lit(None).alias(name) for name in BENCH_ASC.names if name not in rows.columns]
                return rows.with_columns(*nulls).with_columns(state=pl.lit(state), release=pl.lit(release))

            size = len(states)
            texts = {name: encode_texts(["x"], size) for name in BENCH_MEDICARE_PROF_LOCALITY.names[2:8]}
            amounts = {name: [float(amount)] * size for name in ("nonfacility_rate", "facility_rate")}
            keys = {"release": encode_texts([release], size), "state": encode_texts(sorted(states))}
            flags = {name: [False] * size for name in ("nonfacility_na", "facility_na")}
            block = pa.table({**keys, **texts, **amounts, **flags})
            by_release = {BENCH_MEDICARE_PROF_LOCALITY: iter([block])}
            done = put_release(store, BENCH_ASC, rows_of, loaded(release, scope, states), by_release)
            mine = months(release, releases.setdefault(scope, set()))
            releases[scope].add(release)
            for old in [old for old in localities if old[0] == release and scope in {NATION, old[1]}]:
                del localities[old]
            localities.update({(release, state): float(amount) for state in states})
            assert list(done.months) == mine
            for key in [key for key in expected if key[1] in mine and scope in {NATION, key[0]}]:
                del expected[key]
            for state in states:
                for month in mine:
                    expected.update({(state, month, code): (release, float(amount)) for code in CODES})
        db = open_snapshot(store)
        found = db.rows("SELECT state, year_month, code, release, asc_mar_stateavg FROM bench_asc")
        assert found == [(*key, *expected[key]) for key in sorted(expected)]
        once_found = db.rows("SELECT release, state, nonfacility_rate FROM bench_medicare_prof_locality")
        assert once_found == [(*key, localities[key]) for key in sorted(localities)]
        remembered = db.rows("SELECT state, release FROM dim_benchmark ORDER BY ALL")
        assert remembered == sorted((scope, release) for scope, known in releases.items() for release in known)


def test_counts_must_add_up() -> None:
    with pytest.raises(AssertionError, match="4 rows read, 2 priced"):
        LoadedBenchmark("asc", "2025-01", (), 4, 2, {"packaged": 1}, ())


def test_a_text_that_is_too_long_for_its_column_refuses_the_file() -> None:
    longest = BENCH_ASC.column("code").longest
    nulls = {name: [None] for name in BENCH_ASC.names}
    encode_text_columns(pl.DataFrame({**nulls, "code": ["1" * longest]}), BENCH_ASC)
    with pytest.raises(ReferenceFileError, match=rf"bench_asc: a code has {longest + 1} characters; expected at most"):
        encode_text_columns(pl.DataFrame({**nulls, "code": ["1" * (longest + 1)]}), BENCH_ASC)
