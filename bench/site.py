"""Measure each page of the site through gunicorn, next to the same question asked of DuckDB and PostgreSQL.

    python -m bench.market bench/work/market              the store: 50 million rates, once (about ten minutes)
    python -m bench.site bench/work/market                all pages; some ten minutes
    python -m bench.site bench/work/market --postgres     also loads the rows into PostgreSQL, once: 15 minutes, 20 GB
    python -m bench.site bench/work/market --pages rates NPI --cold 0 --samples 50
    python -m bench.site bench/work/market --postgres --save after.json --before before.json

The store should be prepared as a large one is: manage.py copy_by_group.

Needs the group of dependencies `bench`; --postgres also Debian's postgresql-15, and runs it as the user postgres where
it is root itself. Run it on an otherwise idle machine with two cores. What the columns say, in milliseconds:

- cold: a new server, the store's files dropped from the page cache, its first question of all.
- new: a server that has answered another question of the same page, files in the page cache; each thing for the first
  time. A server for each page, so that none finds what another has left in a cache.
- warm: the same addresses once more.
- duckdb: the same question in plain SQL (see bench.questions) on the same files, as under new: a connection for each
  page, which has answered another question, each thing for the first time. `x` is new by it.
- postgres: the same statements on the same rows with the indexes its users would create, asked for the second time, so
  that its rows are in memory. `x` is new by it.

Then the same with sixteen clients at once; and one server that is asked all pages by sixteen clients, then a mix of
rates pages, codes as often as they have rates, and those of the commonest codes for the first time and again: requests
a second, errors, and the most memory of the server's processes together (PSS). `--save` keeps the p95 of new pages in a
file; the last table compares it with that of a file from another commit (`--before`), and with PostgreSQL. A page that
is not there is reported as absent; the answers that were no 200 stand behind a page by their status. Progress goes to
stderr.
"""

import argparse
import json
import random
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from bench.ingest import WORK
from bench.postgres import for_postgres, postgres, room
from bench.questions import MARKET, Page, Values, codes, months, pages
from bench.serving import Answers, forget, remember, serving, skewed
from core.store.generations.store import Store
from core.store.schema.tables import TABLES
from core.store.sql import parquet_rows

COMMON = 100
CLIENTS = 16


def main() -> None:
    """Run the benchmark that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path, help="the data directory, see bench.market")
    parser.add_argument("--samples", type=int, default=40, help="things asked of each page (default: 40)")
    parser.add_argument("--cold", type=int, default=10, help="new servers for each page (default: 10; 0 leaves it out)")
    parser.add_argument("--seconds", type=float, default=20, help="of the mix of rates pages (default: 20)")
    parser.add_argument("--pages", nargs="*", metavar="WORD", help="only pages whose names contain one of these words")
    parser.add_argument("--postgres", action="store_true", help="also ask PostgreSQL")
    parser.add_argument("--save", type=Path, help="write the p95 of new pages to this file")
    parser.add_argument("--before", type=Path, help="compare with such a file")
    parser.add_argument("--postgres-rows", type=int, help="facts to load there (default: all)")
    options = parser.parse_args()
    db = plain(options.store)
    # One more than is measured: what a server is warmed with.
    chosen = [
        page
        for page in pages(db, options.samples + 1)
        if not options.pages or any(word in page.name for word in options.pages)
    ]
    remember(options.store)
    bare = {page.name: in_duckdb(options.store, page) for page in chosen}
    other = in_postgres(options, db, chosen) if options.postgres else {}
    cold, absent = coldly(options.store, chosen, options.cold)
    there = [page for page in chosen if page.name not in absent]
    remember(options.store)
    new, warm = warmly(options.store, there, 1)
    table(there, [cold, new, warm], [bare, other])
    alone = {page.name: new[page.name].percentile(0.95) for page in there}
    print("".join(f"{name:<26}{'absent':>10}\n" for name in sorted(absent)))
    new, warm = warmly(options.store, there, CLIENTS)
    print(f"{CLIENTS} clients")
    table(there, [{}, new, warm], [{}, {}])
    mix(options.store, db, there, options.seconds)
    if options.save:
        options.save.write_text(json.dumps(alone, indent=1))
    compare(alone, json.loads(options.before.read_text()) if options.before else {}, other)


def plain(store: Path) -> duckdb.DuckDBPyConnection:
    """Return a plain DuckDB connection in which each table of the store is a view of its files."""
    db = duckdb.connect(config={"threads": 2})
    manifest = Store(store).loaded()
    for name in TABLES:
        if files := manifest.paths(store, name):
            db.execute(f"CREATE VIEW {name} AS SELECT * FROM {parquet_rows(files)}")
    return db


def coldly(store: Path, chosen: list[Page], times: int) -> tuple[dict[str, Answers], set[str]]:
    """Return the time of a new server's first answer, files not in memory, by page, and the pages that do not exist."""
    found: dict[str, Answers] = {}
    absent = set()
    for page in chosen:
        found[page.name] = Answers()
        for number in range(max(times, 1)):
            sample = page.samples[number % len(page.samples)]
            with serving(store) as server:
                forget(store)
                answers = server.ask([page.url(sample)])
            found[page.name].times += answers.times if times else []
            if answers.absent:
                absent.add(page.name)
                break
            found[page.name].errors.update(answers.errors)
        print(f"  cold: {page.name}", file=sys.stderr, flush=True)
    return found, absent


def warmly(store: Path, chosen: list[Page], clients: int) -> tuple[dict[str, Answers], dict[str, Answers]]:
    """Return the times of new questions, and of the same questions asked again, by page."""
    new, warm = {}, {}
    for page in chosen:
        urls = [page.url(sample) for sample in page.samples[:-1] or page.samples]
        with serving(store) as server:
            server.ask(["/", page.url(page.samples[-1])])
            new[page.name] = server.ask(urls, clients)
            warm[page.name] = server.ask(urls, clients)
        print(f"  {clients} clients: {page.name}", file=sys.stderr, flush=True)
    return new, warm


def asked(page: Page, ask: Callable[[str, Values], Any]) -> Answers:
    """Return the times of a page's statements for each of its samples; the last sample warms up."""
    answers = Answers()
    for sample in [page.samples[-1], *(page.samples[:-1] or page.samples)] if page.statements else []:
        began = time.perf_counter()
        for statement in page.statements:
            names = re.findall(r"\$(\w+)", statement)
            ask(statement, {name: sample[name] for name in names})
        answers.times.append((time.perf_counter() - began) * 1000)
    del answers.times[:1]
    return answers


def in_duckdb(store: Path, page: Page) -> Answers:
    """Return plain DuckDB's times."""
    with plain(store) as db:
        return asked(page, lambda sql, values: db.execute(sql, values).fetchall())


def in_postgres(options: argparse.Namespace, db: duckdb.DuckDBPyConnection, chosen: list[Page]) -> dict[str, Answers]:
    """Return PostgreSQL's times by page, each question asked for the second time."""
    manifest = Store(options.store).loaded()
    facts = manifest.rows("fact_rate")
    rows = min(options.postgres_rows or facts, facts)
    what = f"{options.store.resolve()} {manifest.generation} {rows}"
    work = WORK.resolve() / "postgres"
    if not (work / "loaded").exists():
        room(work, rows)
    found = {}
    with postgres(work, db, what, rows / facts) as connection:

        def ask(sql: str, values: Values) -> Any:
            return connection.execute(for_postgres(sql), values).fetchall()

        for page in chosen:
            asked(page, ask)
            found[page.name] = asked(page, ask)
            print(f"  PostgreSQL: {page.name}", file=sys.stderr, flush=True)
    return found


def mix(store: Path, db: duckdb.DuckDBPyConnection, chosen: list[Page], seconds: float) -> None:
    """Request all pages, then rates pages of every code, each as often as it has rates, and print the results."""
    every = codes(db, *months(db)[0], 0, 1_000_000)
    rates = Page("mix", every, "/rates/", MARKET)
    urls = skewed([rates.url(code) for code in every], [code["rates"] for code in every], 200_000)
    common = [rates.url(code) for code in every[:COMMON]]
    random.Random("common").shuffle(common)
    with serving(store) as server:
        server.ask([page.url(sample) for page in chosen for sample in page.samples[:CLIENTS]], CLIENTS)
        for what, some, until in (
            ("of any code, as often as it has rates", urls, seconds),
            (f"of the {COMMON} commonest codes, first", common, None),
            ("of these, again and again", common * 100, None),
        ):
            began = time.monotonic()
            answers = server.ask(some, CLIENTS, until)
            took = time.monotonic() - began
            p50, p95 = (_ms(answers.percentile(part)).strip() for part in (0.5, 0.95))
            print(
                f"rates pages {what}, {CLIENTS} clients, {took:.0f} s: {len(answers.times) / took:.1f} a second, "
                f"p50 {p50} ms, p95 {p95} ms, errors {answers.errors or 'none'}"
            )
        print(f"peak memory of the server {server.peak / 2**20:.0f} MiB")


def table(chosen: list[Page], ours: list[dict[str, Answers]], theirs: list[dict[str, Answers]]) -> None:
    """Print p50 and p95 of each of `ours`, p50 of each of `theirs`, and the second of `ours` divided by it."""
    titles = ("cold", "new", "warm")
    head = "".join(f"{f'{title} p50':>10}{'p95':>7}" for title, part in zip(titles, ours, strict=True) if part)
    head += "".join(f"{name:>10}{'x':>6}" for name, part in zip(("duckdb", "postgres"), theirs, strict=True) if part)
    print(f"{'page':<26}{head}")
    for page in chosen:
        cells, errors = "", {}
        for part in filter(None, ours):
            cells += _ms(part[page.name].percentile(0.5), 10) + _ms(part[page.name].percentile(0.95))
            errors |= part[page.name].errors
        new = ours[1][page.name].percentile(0.5)
        for part in filter(None, theirs):
            figure = part[page.name].percentile(0.5)
            cells += _ms(figure, 10) + (f"{new / figure:6.2f}" if new and figure else f"{'':6}")
        print(f"{page.name:<26}{cells}" + (f"  {errors}" if errors else ""), flush=True)


def compare(now: dict[str, float | None], before: dict[str, float | None], other: dict[str, Answers]) -> None:
    """Print p95 of each page asked for the first time by one client: before, and now.

    The first `x` is how many times faster it is now; the second, how many times longer than PostgreSQL's p95 it takes.
    """
    print(f"\n{'page':<26}{'before':>10}{'new p95':>10}{'x':>7}{'postgres p50':>14}{'p95':>7}{'x':>7}")
    for page, p95 in now.items():
        was, theirs = before.get(page), other.get(page, Answers())
        p50, their_p95 = (theirs.percentile(part) for part in (0.5, 0.95))
        faster, slower = was / p95 if was and p95 else None, p95 / their_p95 if p95 and their_p95 else None
        print(
            f"{page:<26}{_ms(was, 10)}{_ms(p95, 10)}{_ms(faster, 7)}{_ms(p50, 14)}{_ms(their_p95)}{_ms(slower, 7)}",
            flush=True,
        )


def _ms(value: float | None, width: int = 7) -> str:
    return f"{'-':>{width}}" if value is None else f"{value:{width}.{1 if value < 100 else 0}f}"


if __name__ == "__main__":
    main()
