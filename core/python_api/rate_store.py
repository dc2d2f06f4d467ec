"""Ask a store the site's questions from Python: see docs/python.md. Needs no Django settings.

Each method asks one question of `core.queries`, whose row classes say what the columns mean, and returns a Polars frame
with a column for each field. A question about no rates at all returns an empty frame with the same columns.
"""

import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

import polars as pl

from core.fields.providers.payer_slug import make_payer_slug
from core.python_api.arguments import (
    Filters,
    check_month,
    check_npi,
    check_one_of,
    check_state,
    check_tin,
    parse_code_list,
    parse_market,
)
from core.python_api.basket_questions import BasketQuestions
from core.python_api.code_questions import CodeQuestions
from core.python_api.compensation_questions import CompensationQuestions
from core.python_api.frames import ALL_ROWS, frame_of, polars_type
from core.python_api.profile_questions import ProfileQuestions
from core.python_api.provider_questions import ProviderQuestions
from core.python_api.roll_up_answers import RollUpAnswers
from core.python_api.rule_questions import RuleQuestions
from core.python_api.trend_questions import TrendQuestions
from core.quality.checks import CHECKS
from core.quality.failing_rows import find_failing_rows
from core.queries import coverage, dictionary, quality
from core.queries.classes.rate_classes import choose_class, choose_class_of_codes
from core.queries.comparison import overruled_labels
from core.queries.latest import with_latest
from core.queries.loaded_files import File, MarketFile, list_files, list_sources
from core.queries.market.market import Market
from core.queries.over_time import changes
from core.queries.parties import organizations, providers
from core.queries.payers import networks
from core.queries.releases import Release, list_releases
from core.queries.rules.rate_kinds import MACROS
from core.queries.side_by_side import payer_comparison
from core.queries.side_by_side.payer_spread import PayerSpread
from core.queries.yardstick import medicare
from core.runtime.errors import BeaconError
from core.runtime.own_folder import own_folder
from core.store.connection import QueryLimits, Snapshot
from core.store.generations.integrity.damage import expect_whole
from core.store.generations.store import Store
from core.store.reader import Reader


def open_store(
    path: str | Path | None = None, *, memory: str = "1GB", threads: int = 2, seconds: float = 60.0
) -> "RateStore":
    """Open the store in a data directory for reading.

    Without a path, open BEACONPOINT_DATA_DIR, or core/data below the current directory if that is not set. `memory`,
    `threads`, and `seconds` limit each question. Raise StoreError if nothing has been loaded there yet, or a file is
    missing or cut short.
    """
    root = Path(path or os.environ.get("BEACONPOINT_DATA_DIR") or "core/data").expanduser().absolute()
    temporary = str(own_folder(Path(tempfile.gettempdir()) / "beaconpoint"))
    limits = QueryLimits(memory=memory, threads=threads, temp_directory=temporary, seconds=seconds)
    return RateStore(Store(root), limits)


class RateStore(
    BasketQuestions,
    CodeQuestions,
    CompensationQuestions,
    ProfileQuestions,
    ProviderQuestions,
    RollUpAnswers,
    RuleQuestions,
    TrendQuestions,
):
    """A store of negotiated rates, opened by `open_store`.

    Each call reads the newest generation, as a page of the site does, and never sees half of a change.
    """

    def __init__(self, store: Store, limits: QueryLimits) -> None:
        self._store = store
        self._reader = Reader(store, limits, MACROS)
        expect_whole(store.root, store.loaded())

    def __repr__(self) -> str:
        return f"RateStore({str(self._store.root)!r}, generation={self._store.loaded().generation})"

    # What is loaded.

    def coverage(self) -> pl.DataFrame:
        """Return what is loaded: files and rates by state, month, and payer, newest month first."""
        return frame_of(coverage.Coverage, coverage.list_coverage(self._snapshot()))

    def files(self, payer: str) -> pl.DataFrame:
        """Return the files of a payer, newest month first."""
        return frame_of(File, list_files(self._snapshot(), make_payer_slug(payer)))

    def sources(self, state: str, year_month: str | None, payer: str | None = None) -> pl.DataFrame:
        """Return the files that the rates of a state and month come from, of one payer or of all."""
        market = self._market(state, year_month, None, None, {"payer": payer})
        found = list_sources(self._snapshot(), market.state, market.months, market.payer)
        return frame_of(MarketFile, found)

    def networks(self, payer: str) -> pl.DataFrame:
        """Return the networks of a payer by month, with provider groups and NPIs."""
        return frame_of(networks.NetworkRow, networks.list_networks(self._snapshot(), make_payer_slug(payer)))

    def benchmarks(self) -> pl.DataFrame:
        """Return the benchmark releases that rates are compared with, by kind, newest first."""
        return frame_of(Release, list_releases(self._snapshot()))

    def columns(self) -> pl.DataFrame:
        """Return every column of every table with its meaning: the data dictionary."""
        return frame_of(dictionary.ColumnEntry, dictionary.list_columns(self._snapshot()))

    # Rates against Medicare.

    def medicare(
        self,
        state: str,
        year_month: str | None,
        code: str | None = None,
        code_type: str | None = None,
        *,
        sort: str = "percent",
        limit: int | None = None,
        **filters: Unpack[Filters],
    ) -> pl.DataFrame:
        """Return each rate with its percent of Medicare (1 is 100%), or the reason why it has none."""
        market = self._market(state, year_month, code, code_type, filters)
        order = check_one_of("sort", sort, medicare.ORDERS)
        return frame_of(
            medicare.Comparison, medicare.list_comparisons(self._snapshot(), market, order, limit or ALL_ROWS, 0)
        )

    def medicare_summary(
        self,
        state: str,
        year_month: str | None,
        code: str | None = None,
        code_type: str | None = None,
        **filters: Unpack[Filters],
    ) -> pl.DataFrame:
        """Return the percentiles of the percents of Medicare by payer."""
        market = self._market(state, year_month, code, code_type, filters)
        return frame_of(medicare.PercentSpread, medicare.summarize_percents(self._snapshot(), market))

    def overruled_labels(self, state: str, year_month: str | None, *, payer: str | None = None) -> pl.DataFrame:
        """Return the payers whose rates fit the schedule of the other billing class far better, and the evidence.

        These rates are compared with that schedule. With `basis="opps"`, for example, any other method compares all
        rates with one schedule.
        """
        market = self._market(state, year_month, None, None, {"payer": payer})
        found = overruled_labels.list_overruled_labels(self._snapshot(), market)
        return frame_of(overruled_labels.OverruledLabel, found)

    # Organizations, payers, providers.

    def organizations(
        self,
        state: str,
        year_month: str | None,
        code: str,
        code_type: str | None = None,
        *,
        sort: str = "rates",
        limit: int | None = None,
        **filters: Unpack[Filters],
    ) -> pl.DataFrame:
        """Return a code's rates in dollars by tax ID, with percentiles and rank."""
        market = self._market(state, year_month, code, code_type, filters)
        order = check_one_of("sort", sort, organizations.ORDERS)
        found = organizations.list_organizations(self._snapshot(), market, order, limit or ALL_ROWS, 0)
        return frame_of(organizations.Organization, found)

    def compare_payers(
        self,
        state: str,
        year_month: str | None,
        wanted: str | Iterable[str],
        *,
        base: str | None = None,
        **filters: Unpack[Filters],
    ) -> pl.DataFrame:
        """Return payers side by side: dollars by code, billing class, modifier, and payer.

        `wanted` is one or more codes, each with or without its system ("99213", "MS-DRG:470"). Medians are compared
        with that of the payer `base`, or of all payers. The rows for all payers together have no `payer_slug`.
        """
        market = self._market(state, year_month, None, None, filters)
        slug, db = make_payer_slug(base) if base else None, self._snapshot()
        listed = parse_code_list(wanted)
        if len(listed) == 1:
            market = choose_class_of_codes(db, market, (code for _, code in listed[0].meanings)).market
        return frame_of(PayerSpread, payer_comparison.compare_payers(db, market, listed, slug)[0])

    def npi(self, npi: str) -> pl.DataFrame:
        """Return who an NPI is, in one row; names need the NPPES register. No row if no rate's group has it."""
        found = providers.find_npi(self._snapshot(), check_npi(npi))
        return frame_of(providers.Npi, [found] if found else [])

    def other_names(self, npi: str) -> pl.DataFrame:
        """Return the other names of an NPI, such as those it does business under."""
        return frame_of(providers.OtherName, providers.list_other_names(self._snapshot(), check_npi(npi)))

    def locations(self, npi: str) -> pl.DataFrame:
        """Return the practice addresses of an NPI besides its first, which `npi` returns."""
        return frame_of(providers.PracticeLocation, providers.list_locations(self._snapshot(), check_npi(npi)))

    def tin(self, tin: str) -> pl.DataFrame:
        """Return the tax IDs with a number, and how many NPIs bill under each: an EIN and an NPI can share a number."""
        return frame_of(providers.TaxId, providers.find_tins(self._snapshot(), check_tin(tin)))

    def npis_of_tin(self, tin: str) -> pl.DataFrame:
        """Return the NPIs that bill under a tax ID."""
        value = check_tin(tin)
        return frame_of(providers.Npi, providers.list_npis_of_tin(self._snapshot(), value, ALL_ROWS, 0)[1])

    # A month against an earlier one.

    def changes(
        self,
        state: str,
        year_month: str,
        before: str,
        code: str,
        code_type: str | None = None,
        *,
        sort: str = "moved",
        limit: int | None = None,
        **filters: Unpack[Filters],
    ) -> pl.DataFrame:
        """Return what each tax ID is paid for a code, in the month `before` and in `year_month`."""
        market = self._of_one_class(parse_market(state, year_month, code, code_type, filters))
        order = check_one_of("sort", sort, changes.ORDERS)
        found = changes.list_changed_pay(
            self._snapshot(), market, check_month(before), None, order, limit or ALL_ROWS, 0
        )[1]
        return frame_of(changes.ChangedPay, found)

    def change_summary(
        self,
        state: str,
        year_month: str,
        before: str,
        code: str | None = None,
        code_type: str | None = None,
        **filters: Unpack[Filters],
    ) -> pl.DataFrame:
        """Count the tax IDs that are paid more, less, and the same, by payer for one code, otherwise by code.

        Each tax ID counts once for each payer, code, and terms.
        """
        market = self._of_one_class(parse_market(state, year_month, code, code_type, filters))
        by = "payers" if market.code else "codes"
        found = changes.count_movements(self._snapshot(), market, check_month(before), [by])
        return frame_of(changes.PayerMoved, found.payers) if market.code else frame_of(changes.CodeMoved, found.codes)

    # Data quality.

    def quality(self) -> pl.DataFrame:
        """Return what each check found in the newest recorded run of dq_check. No row if it has not run yet."""
        db = self._snapshot()
        run = quality.choose_run(quality.list_runs(db), None)
        return frame_of(quality.CheckOutcome, quality.list_check_outcomes(db, run.run_id) if run else [])

    def failing_rows(
        self,
        check: str,
        state: str | None = None,
        year_month: str | None = None,
        payer: str | None = None,
        *,
        limit: int = 1000,
    ) -> pl.DataFrame:
        """Return the rows that a check finds in the data as it is now."""
        name = check_one_of("check", check, [one.name for one in CHECKS])
        found = find_failing_rows(
            self._snapshot(),
            next(one for one in CHECKS if one.name == name),
            limit,
            state=check_state(state) if state else None,
            year_month=check_month(year_month) if year_month else None,
            payer=make_payer_slug(payer) if payer else None,
        )
        schema = {column: polars_type(kind) for column, kind in zip(found.names, found.types, strict=True)}
        return pl.DataFrame(found.rows, schema=schema, orient="row", strict=False)

    # Anything else.

    def sql(
        self, query: str, parameters: Sequence[Any] | Mapping[str, Any] = (), **frames: pl.DataFrame
    ) -> pl.DataFrame:
        """Return the answer to a query in DuckDB's SQL.

        Every table of the data dictionary is a view of its name, and the macros `payer_slug`, `rate_kind`, and the
        others of docs/python.md are there. Each Polars frame that is passed by name is a table of that name. The query
        may read files below the data directory, and no others.
        """
        with self._snapshot().cursor() as cursor:
            for name, frame in frames.items():
                cursor.plain.register(name, frame)
            # DuckDB 2.0 has no `pl()`. A relation, unlike a cursor's result, passes Arrow on without a copy.
            relation = cursor.plain.sql(query, params=parameters or None)
            answer = pl.from_arrow(relation.to_arrow_table())
            return answer if isinstance(answer, pl.DataFrame) else answer.to_frame()

    def _market(
        self, state: str, year_month: str | None, code: str | None, code_type: str | None, filters: Mapping[str, Any]
    ) -> Market:
        return self._of_one_class(parse_market(state, year_month, code, code_type, filters))

    def _of_one_class(self, market: Market) -> Market:
        """Return the market with its months, and with the class of most rates if it is of a code and names none."""
        db = self._snapshot()
        market = with_latest(db, market)
        return choose_class(db, market).market if market.code else market

    def _snapshot(self) -> Snapshot:
        found = self._reader.snapshot()
        if found is None:
            raise BeaconError(f"{self._store.root}: nothing is loaded there any longer")
        return found
