"""Print how much of a store's rates is compared with a fee schedule, how well, and why the rest is not.

    python -m bench.coverage STORE                    the tables, for a store that exists
    python -m bench.coverage STORE --build DIRECTORY  first make the store from the public files in DIRECTORY

DIRECTORY has the payers' files of PAYERS and the schedules of SCHEDULES; those that are missing or cannot be loaded are
named and left out. Dollars are the sum of the rates in dollars, so that a surgery weighs more than a blood count. The
median is that of the percent of the schedule's amount, and the spread is the standard deviation of its logarithm: 0.2
is a payer that pays by this schedule, and over 0.8 means that the amounts have little to do with the rates.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from core.queries.comparison.compared_rates import compared_sql
from core.queries.comparison.schedules import BASES
from core.queries.rules.rate_kinds import MACROS
from core.store.connection import QueryLimits, Snapshot
from core.store.generations.store import Store
from core.store.reader import Reader
from core.store.watched_cursor import WatchedCursor

ROOT = Path(__file__).resolve().parents[1]
MAX_SPREAD = 0.8
"""A spread over this is marked: there may be a better schedule for these rates."""

PAYERS = (
    ("TX", None, "tic/payers/2025-01-06_Evry-Health_in-network-rates.json.gz"),
    ("TX", None, "tic/payers/2025-06-23_Evry-Health_in-network-rates.json.gz"),
    ("GA", "2025-11", "tic/payers/2023-02-01_HealthSCOPE_in-network-rates.json.gz"),
    ("OH", "2025-11", "tic/payers/innetwork-G-QMXCT20404-1.json"),
    ("OH", "2025-11", "tic/payers/innetwork-S-QMXCT25139-1.json"),
)
"""State, month (None: the file's own), and file of the payers. No file says for which state it is."""

_WAGES = "ipps/wage_index_2025.txt"
SCHEDULES = (
    ("medicare_prof", "medicare/mpfs/PPRRVU25_JAN.csv", "--gpci", "medicare/mpfs/GPCI2025.csv"),
    ("medicare_prof", "medicare/rvu/RVU25D.zip"),
    ("opps", "medicare/opps/2025 NFRM Addendum B.11122024.txt", "--wage-index", _WAGES),
    ("asc", "medicare/asc/2025-10/AA.csv", "medicare/asc/2025-10/BB.csv", "--wage-index", _WAGES),
    ("asc", "medicare/asc/2025-10/AA.csv", "medicare/asc/2025-10/BB.csv", "--wage-index", _WAGES,
     "--year-month", "2025-01"),
    ("clfs", "clfs/CLFS 2025 Q1V1.csv"),
    ("asp", "asp/section 508 version of Jan 2025 ASP Pricing File updated 030725.csv"),
    ("asp", "asp/section 508 version of Oct 2025 ASP Pricing File 091725.csv"),
    ("dmepos", "dmepos/DMEPOS_JAN.csv", "dmepos/DMEPEN_JAN.csv"),
    ("anesthesia", "anesthesia/CY_2022_Anesthesia_Base_Units_110921.xlsx",
     "anesthesia/Anesthesia CY 2025 locality adjusted CF_floor extension 23DEC24.xlsx", "--year-month", "2025-01"),
    ("ipps", "ipps/drg_weights.txt", "ipps/CMS-1833-F Tables 1A - 1E.txt", "--wage-index",
     "medicare/wage_index_2026.csv"),
    ("wcfs", "wcfs/GA_2024_medical_fee_schedule.xlsx"),
)  # fmt: skip
"""The kind and the rest of the command line of each schedule."""


def main() -> None:
    """Build the store if that is asked for, and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path, help="the data directory")
    parser.add_argument("--build", type=Path, metavar="DIRECTORY", help="make the store from these public files")
    options = parser.parse_args()
    if options.build:
        build(options.store, options.build)
    limits = QueryLimits(seconds=600, temp_directory=str(options.store / "tmp"))
    db = Reader(Store(options.store.absolute()), limits, MACROS).snapshot()
    if db is None:
        sys.exit(f"{options.store}: nothing is loaded there; use --build DIRECTORY")
    print_coverage(db)


def build(store: Path, files: Path) -> None:
    """Load the payers' files and the schedules, one command after another."""
    for state, month, name in PAYERS:
        dated = ["--year-month", month] if month else []
        _manage(store, "ingest_mrf", "--state", state, *dated, "--no-locations", str(files / name))
    for kind, *words in SCHEDULES:
        _manage(store, "load_benchmark", kind, *(str(files / word) if "/" in word else word for word in words))


def _manage(store: Path, *arguments: str) -> None:
    store.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "BEACONPOINT_DATA_DIR": str(store.absolute())}
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"left out: {' '.join(Path(word).name for word in arguments)}: {done.stderr.strip().splitlines()[-1:]}")


def print_coverage(db: Snapshot) -> None:
    """Print the rates and dollars by outcome, then the percents by payer and basis."""
    with db.cursor(600) as cursor:
        cursor.execute(
            f"""CREATE OR REPLACE TEMP TABLE outcome AS {compared_sql("true")}
                SELECT fact_uid, reporting_entity_name || ' ' || year_month AS payer,
                       coalesce(basis, reason) AS outcome,
                       reason IS NULL AS compared, percent, if(kind = 'dollars', negotiated_rate, 0) AS dollars
                FROM compared"""
        )
        for title, by in (("All payers", "'all'"), ("By payer", "payer")):
            print(f"\n{title}\n{'':<40}{'rates':>10}{'compared':>10}{'dollars':>18}{'compared':>10}")
            for row in cursor.execute(_SHARES.format(by=by)).fetchall():
                print(f"{row[0]:<40}{row[1]:>10,}{row[2]:>10.1%}{row[3]:>18,.0f}{row[4]:>10.1%}")
        print(f"\nBy outcome\n{'':<44}{'rates':>10}{'share':>8}{'dollars':>18}{'share':>8}{'median':>9}{'spread':>8}")
        for row in cursor.execute(_OUTCOMES.format(payer="''")).fetchall():
            _print_outcome(row)
        print("\nBy payer and outcome; * marks a spread that a better schedule might halve")
        payer = ""
        for row in cursor.execute(_OUTCOMES.format(payer="payer")).fetchall():
            if row[0] != payer:
                payer = row[0]
                print(payer)
            _print_outcome(row)
        _print_alternatives(cursor)


def _print_alternatives(cursor: WatchedCursor) -> None:
    """Print how the rates of each marked outcome would fit the schedules of the two classes."""
    cursor.execute(
        f"""CREATE OR REPLACE TEMP TABLE marked AS
            SELECT fact_uid, payer, outcome, stddev_samp(ln(percent)) OVER (PARTITION BY payer, outcome) AS spread
            FROM outcome WHERE compared AND percent > 0 QUALIFY spread > {MAX_SPREAD}"""
    )
    print("\nThe marked ones, if compared with another schedule")
    for basis in BASES:
        cursor.execute(
            f"""CREATE OR REPLACE TEMP TABLE asked AS
                {compared_sql("f.fact_uid IN (SELECT fact_uid FROM marked)", basis=basis)}
                SELECT fact_uid, percent, schedule FROM compared"""
        )
        found = cursor.execute(
            f"""SELECT payer, outcome, count(*), median(percent), stddev_samp(ln(percent)), any_value(spread)
                FROM marked JOIN asked USING (fact_uid) WHERE schedule = '{BASES[basis]}' GROUP BY ALL ORDER BY ALL"""
        ).fetchall()
        for payer, outcome, rates, median, spread, before in found:
            fit = f"{median:.0%}, spread {spread or 0:.2f} rather than {before:.2f}"
            print(f"  {payer:<40}{outcome:<20}{basis:<6}{rates:>8,} rates: {fit}")


_SHARES = """
    SELECT {by} AS payer, count(*), avg(compared::INT), sum(dollars),
           coalesce(sum(dollars) FILTER (compared) / nullif(sum(dollars), 0), 0)
    FROM outcome GROUP BY 1 ORDER BY 1"""

_OUTCOMES = """
    SELECT payer, outcome, rates, rates / sum(rates) OVER of_payer, dollars,
           coalesce(dollars / nullif(sum(dollars) OVER of_payer, 0), 0), median, spread
    FROM (SELECT {payer} AS payer, outcome, compared, count(*) AS rates, sum(dollars) AS dollars,
                 median(percent) AS median, stddev_samp(ln(percent)) FILTER (percent > 0) AS spread
          FROM outcome GROUP BY ALL)
    WINDOW of_payer AS (PARTITION BY payer)
    ORDER BY payer, compared DESC, rates DESC"""


def _print_outcome(row: tuple[Any, ...]) -> None:
    _, outcome, rates, share, dollars, of_dollars, median, spread = row
    fit = "" if median is None else f"{median:>9.0%}{spread or 0:>8.2f}"
    mark = " *" if spread is not None and spread > MAX_SPREAD else ""
    print(f"  {outcome:<42}{rates:>10,}{share:>8.1%}{dollars:>18,.0f}{of_dollars:>8.1%}{fit}{mark}")


if __name__ == "__main__":
    main()
