"""Besiege the site: many clients ask the most expensive addresses while one visitor asks for something new each time.

    python -m bench.market bench/work/market              the store: 50 million rates, once (about ten minutes)
    python -m bench.siege bench/work/market               8 clients, then 32, for a minute each
    python -m bench.siege bench/work/market --clients 32 --seconds 120
    python -m bench.siege bench/work/market --program ../before      serves another checkout, to compare with it
    python -m bench.siege bench/work/market --varied                 hostile clients never ask the same twice

The site runs as deployed: gunicorn with the project's settings, a new server for each number of clients. Everybody is a
process or thread of their own, with nothing between them and the server:

- hostile clients take the ten addresses of `expensive` in random order, the next one as soon as the last is answered.
  They read each answer to its end, and neither wait nor obey `Retry-After`.
  With --varied, they ask for something else each time, so that no answer is kept: long lists of codes, files, changes,
  large pages of the API. Only the promises about memory, health checks, refusals and errors are looked at then: the
  questions of one code are as cheap as the visitor's, and wait in the same lane.
- the visitor asks for a page that nobody has asked for before (rates, organizations, Medicare, changes and payers of a
  code, an NPI, a tax ID), and reads for half a second.
- a monitor asks /healthz and /readyz ten times a second, each on a new connection.

Everybody has the address 127.0.0.1, which no limit per client applies to: what holds here holds for clients of as many
addresses. Printed are the answers by status with their times in milliseconds, whether refusals say when to come again,
and the most memory of all of the server's processes together (PSS). The last lines say whether the promises of
docs/operating.md were kept; the exit status is 1 if not.
"""

import argparse
import http.client
import itertools
import multiprocessing
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import duckdb

from bench.measure import EVERY, tree_memory
from bench.questions import codes, months, pages
from bench.serving import ROOT, remember, serving
from bench.site import plain

VISITOR_PAUSE = 0.5
MONITOR_PAUSE = 0.1
MAX_MEMORY = 1000 * 2**20
MAX_VISITOR, MAX_REFUSAL, MAX_HEALTH = 2000.0, 1000.0, 100.0
"""The promises: the most memory, and milliseconds of the visitor's p95, of a refusal (p95), and of a health check."""

REFUSED = (429, 503)


@dataclass(frozen=True)
class Answered:
    """One answer: its status (0 is a broken connection), its time in ms, and whether it says when to ask again."""

    status: int
    milliseconds: float
    retry_after: bool
    address: str


def expensive(db: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the ten addresses that cost most: questions about everything, long lists, and large files."""
    (state, month), *others = months(db)
    before = others[0][1] if others else month
    commonest, second = codes(db, state, month, 0.0, 2)
    market = {name: commonest[name] for name in ("state", "year_month", "code_type", "code")}
    every = [code["code"] for code in codes(db, state, month, 0.0, 100_000) if code["code_type"] == "CPT"]
    some = random.Random("siege").sample(every, min(200, len(every)))
    (payer,) = db.execute("SELECT payer_slug FROM dim_reporting_entity ORDER BY 1 LIMIT 1").fetchall()[0]
    period = {"state": state, "year_month": month}
    return [
        f"/medicare/?{urlencode(period)}",
        f"/changes/?{urlencode({**period, 'payer': payer, 'from': before})}",
        "/quality/implausible_rates/",
        "/quality/duplicate_fact_uid/",
        f"/payers/?{urlencode({**period, 'codes': ','.join(f'CPT:{code}' for code in some)})}",
        f"/rates/?{urlencode({**market, 'format': 'csv'})}",
        f"/medicare/?{urlencode({**market, 'code': second['code'], 'format': 'parquet'})}",
        f"/changes/?{urlencode({**market, 'from': before})}",
        f"/api/v1/medicare?{urlencode({**period, 'limit': 1000})}",
        f"/api/v1/changes/codes?{urlencode({'payer': payer})}",
    ]


def varied(db: duckdb.DuckDBPyConnection, count: int = 5_000) -> list[str]:
    """Return addresses that cost much and are all different."""
    chance = random.Random("varied")
    (state, month), *others = months(db)
    every = [code for code in codes(db, state, month, 0.0, 100_000) if code["code_type"] == "CPT"]
    common, period = every[:500], {"state": state, "year_month": month}
    before = others[0][1] if others else month
    found = []
    for _ in range(count // 5):
        market = {name: chance.choice(common)[name] for name in ("state", "year_month", "code_type", "code")}
        listed = ",".join(f"CPT:{code['code']}" for code in chance.sample(every, min(200, len(every))))
        found += [
            f"/payers/?{urlencode({**period, 'codes': listed})}",
            f"/rates/?{urlencode({**market, 'format': chance.choice(('csv', 'json'))})}",
            f"/medicare/?{urlencode({**market, 'format': 'parquet'})}",
            f"/changes/?{urlencode({**market, 'from': before, 'page': chance.randint(1, 500)})}",
            f"/api/v1/rates?{urlencode({**market, 'limit': chance.randint(500, 1000)})}",
        ]
    return found


def unasked(db: duckdb.DuckDBPyConnection) -> list[str]:
    """Return addresses of ordinary pages, each another, in turn from each kind of page."""
    kinds = ("rates, common code", "NPI", "organizations, common", "medicare, common", "TIN", "rates, middling code",
             "changes, common", "payers, common")  # fmt: skip
    # The first ones are the hostile clients' codes.
    by_kind = [[page.url(sample) for sample in page.samples[5:]] for page in pages(db, 400) if page.name in kinds]
    return [url for turn in itertools.zip_longest(*by_kind) for url in turn if url]


def _read(connection: http.client.HTTPConnection, address: str) -> http.client.HTTPResponse:
    connection.request("GET", address, headers={"Accept-Encoding": "gzip"})
    response = connection.getresponse()
    while response.read(1 << 16):
        pass
    return response


def ask(connection: http.client.HTTPConnection, address: str) -> Answered:
    """Request an address and read the answer to its end."""
    began = time.perf_counter()
    status, retry_after = 0, False
    try:
        response = _read(connection, address)
        if response.status == 302:  # to the one spelling of the address
            response = _read(connection, response.getheader("Location") or "/")
        status, retry_after = response.status, response.getheader("Retry-After") is not None
        if response.will_close:
            connection.close()
    except (OSError, http.client.HTTPException):
        connection.close()
    return Answered(status, (time.perf_counter() - began) * 1000, retry_after, address)


def _client(port: int, addresses: Iterable[str], until: float, pause: float, keep: Callable[[Answered], None]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    for address in addresses:
        if time.monotonic() >= until:
            break
        keep(ask(connection, address))
        if pause:
            time.sleep(pause)
    connection.close()


def _shuffled(addresses: list[str], seed: object) -> Iterator[str]:
    chance = random.Random(str(seed))
    while True:
        yield from chance.sample(addresses, len(addresses))


def attack(port: int, addresses: list[str], clients: int, until: float) -> list[Answered]:
    """Run the hostile clients and return all of their answers."""
    found: list[Answered] = []
    threads = [
        threading.Thread(target=_client, args=(port, _shuffled(addresses, number), until, 0, found.append))
        for number in range(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def visit(port: int, addresses: list[str], until: float) -> list[Answered]:
    """Ask for each address once, reading for a while after each."""
    found: list[Answered] = []
    _client(port, addresses, until, VISITOR_PAUSE, found.append)
    return found


def monitor(port: int, until: float) -> list[Answered]:
    """Ask whether the server is alive and ready, as a monitor does: on a new connection each time."""
    found: list[Answered] = []
    for address in itertools.cycle(("/healthz", "/readyz")):
        if time.monotonic() >= until:
            return found
        _client(port, [address], until + 60, 0, found.append)
        time.sleep(MONITOR_PAUSE)
    return found


@dataclass(frozen=True)
class Siege:
    """What everybody was answered, and the most memory of the server in bytes."""

    clients: int
    hostile: list[Answered]
    visitor: list[Answered]
    health: list[Answered]
    peak: int

    def broken_promises(self, *, visitor: bool = True) -> list[str]:
        """Return a sentence for each promise that was not kept, those about the visitor only if asked."""
        everybody = [*self.hostile, *self.visitor, *self.health]
        refusals = [one for one in everybody if one.status in REFUSED and not one.address.startswith("/readyz")]
        # A question that was stopped at its time limit was answered, not refused, although its status is 503 too.
        visits = [one.milliseconds for one in self.visitor]
        errors = Counter(one.status for one in everybody if one.status >= 500 and one.status not in REFUSED)
        found = []
        if self.peak > MAX_MEMORY:
            found.append(f"memory: {self.peak / 2**20:.0f} MiB")
        if visitor and (not visits or percentile(visits, 0.95) > MAX_VISITOR):
            found.append("the visitor waited")
        if visitor and any(one.status != 200 for one in self.visitor):
            found.append(f"the visitor was refused {sum(one.status != 200 for one in self.visitor)} times")
        if any(one.milliseconds > MAX_HEALTH or one.status != 200 for one in self.health):
            late = sum(one.milliseconds > MAX_HEALTH for one in self.health)
            found.append(f"health checks: {late} late, of {len(self.health)}")
        if refusals and percentile([one.milliseconds for one in refusals], 0.95) > MAX_REFUSAL:
            found.append("refusals took too long")
        if any(not one.retry_after for one in refusals):
            found.append("refusals without Retry-After")
        if errors or any(one.status == 0 for one in everybody):
            found.append(f"errors: {dict(errors)}, broken connections: {sum(one.status == 0 for one in everybody)}")
        return found


def besiege(store: Path, program: Path, clients: int, seconds: float, *, vary: bool = False) -> Siege:
    """Serve a store, attack it with so many clients, and return what everybody was answered."""
    with plain(store) as db:
        hostile, new = (varied if vary else expensive)(db), unasked(db)
    # Processes of their own, not forked: one interpreter would make its clients wait for each other.
    context = multiprocessing.get_context("spawn")
    with serving(store, program) as server, context.Pool(3) as pool:
        server.ask(["/"])
        until = time.monotonic() + seconds
        attacked = pool.apply_async(attack, (server.port, hostile, clients, until))
        visited = pool.apply_async(visit, (server.port, new, until))
        watched = pool.apply_async(monitor, (server.port, until))
        peak = 0
        while not (attacked.ready() and visited.ready() and watched.ready()):
            peak = max(peak, tree_memory(server.process.pid))
            time.sleep(EVERY)
        return Siege(clients, attacked.get(), visited.get(), watched.get(), peak)


def percentile(times: list[float], part: float) -> float:
    """Return a percentile by the nearest rank."""
    ordered = sorted(times)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]


def show(siege: Siege, each: bool) -> None:
    """Print the answers of each role by status, and the memory."""
    print(f"\n{siege.clients} hostile clients")
    print(f"  {'who':<10}{'status':>7}{'answers':>9}{'p50':>9}{'p95':>9}{'most':>9}")
    for name, answers in (("hostile", siege.hostile), ("visitor", siege.visitor), ("monitor", siege.health)):
        for status in sorted({one.status for one in answers}):
            times = [one.milliseconds for one in answers if one.status == status]
            _line(name, str(status or "broken"), times)
        if len({one.status for one in answers}) > 1:
            _line(name, "all", [one.milliseconds for one in answers])
    if each:
        for address in sorted({one.address for one in siege.hostile}):
            times = [one for one in siege.hostile if one.address == address]
            print(f"  {dict(Counter(one.status for one in times))}  {address[:100]}")
    print(f"  peak memory (PSS of all processes) {siege.peak / 2**20:,.0f} MiB")


def _line(name: str, status: str, times: list[float]) -> None:
    figures = "".join(f"{figure:>9,.0f}" for figure in (percentile(times, 0.5), percentile(times, 0.95), max(times)))
    print(f"  {name:<10}{status:>7}{len(times):>9,}{figures}")


def main() -> None:
    """Run the sieges that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path, help="the data directory, see bench.market")
    parser.add_argument("--clients", type=int, nargs="*", default=[8, 32], help="hostile clients (default: 8 32)")
    parser.add_argument("--seconds", type=float, default=60, help="of each siege (default: 60)")
    parser.add_argument("--program", type=Path, default=ROOT, help="the checkout to serve (default: this one)")
    parser.add_argument("--varied", action="store_true", help="hostile clients never ask the same twice")
    parser.add_argument("--each", action="store_true", help="also count the statuses of each hostile address")
    options = parser.parse_args()
    remember(options.store)
    sieges = [
        besiege(options.store, options.program, clients, options.seconds, vary=options.varied)
        for clients in options.clients
    ]
    broken = False
    for siege in sieges:
        show(siege, options.each)
        for sentence in siege.broken_promises(visitor=not options.varied):
            broken = True
            print(f"  NOT KEPT: {sentence}")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
