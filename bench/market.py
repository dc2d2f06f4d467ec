"""Make a store of a made-up market, the same every time: ten payers, three months, 5,000 codes.

    python -m bench.market STORE                                 50 million rates, layout monthly
    python -m bench.market STORE --facts 5000000 --layout single
    BEACONPOINT_DATA_DIR=STORE python manage.py runserver        to look at it

Each payer and month is an in-network file that is loaded by `manage.py ingest_mrf` and then deleted. The market is
skewed as real files are: the most common code has about 0.4% of a month's rates, the rarest a few. Payers share tax
IDs and NPIs, which stay from month to month; the ids of groups change each month, a fifth of the prices moves a
little, and a few codes and groups come and go. Made-up Medicare schedules and a register that names the NPIs are loaded
last.
"""

import argparse
import shutil
import sys
import time
from pathlib import Path

from bench.market_files import MONTHS, write_file, write_register, write_schedules
from bench.measure import measure
from core.store.generations.store import Store

ROOT = Path(__file__).resolve().parent.parent
STATE, PAYERS, FACTS = "GA", 10, 50_000_000


def manage(store: Path, *words: str | Path) -> float:
    """Run a command of manage.py on a store and return the seconds. End the program if it fails."""
    env = {
        "BEACONPOINT_DATA_DIR": str(store.resolve()),
        "BEACONPOINT_FACT_LAYOUT": "monthly",
        "BEACONPOINT_GRACE_SECONDS": "60",
    }
    done = measure([sys.executable, "manage.py", *map(str, words)], env, ROOT)
    if done.status:
        sys.exit(done.output)
    return done.seconds


def load(store: Path, payer: int, month: str, facts: int) -> float:
    """Make a file, load it, and delete it. Return the seconds of the loading alone."""
    source = store.parent / f"{store.name}-{payer}-{month}.json.gz"
    write_file(source, payer, month, facts)
    try:
        return manage(store, "ingest_mrf", "--state", STATE, source.resolve())
    finally:
        source.unlink()


def build(store: Path, facts: int, layout: str) -> None:
    """Make the store. Months are loaded one after another, in the layout `monthly`, to which adding costs least."""
    if (store / "complete").exists():
        return
    began = time.monotonic()
    for month in MONTHS:
        for payer in range(PAYERS):
            seconds = load(store, payer, month, round(facts / PAYERS / len(MONTHS)))
            rows = Store(store).loaded().rows("fact_rate")
            at = time.monotonic() - began
            print(f"{at:6.0f} s: {month} payer {payer} in {seconds:.1f} s, {rows:,} facts", flush=True)
    sources = store.parent / f"{store.name}-sources"
    sources.mkdir(exist_ok=True)
    for kind, files in write_schedules(sources).items():
        manage(store, "load_benchmark", kind, *(file.resolve() for file in files))
    write_register(sources / "npidata_pfile_bench.csv")
    manage(store, "load_nppes", (sources / "npidata_pfile_bench.csv").resolve())
    shutil.rmtree(sources)
    manage(store, "reshard", "--to", layout)
    manage(store, "copy_by_group")
    (store / "complete").touch()


def main() -> None:
    """Make the store that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path, help="the data directory to make")
    parser.add_argument("--facts", type=int, default=FACTS, help=f"approximate number of rates (default: {FACTS:,})")
    parser.add_argument("--layout", default="monthly", help="of the facts (default: monthly)")
    options = parser.parse_args()
    build(options.store, options.facts, options.layout)
    print(f"{options.store}: {Store(options.store).loaded().rows('fact_rate'):,} facts")


if __name__ == "__main__":
    main()
