"""Find out which versions of files are on the web, without downloading them."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from core.fetch.address import Address
from core.fetch.client import Client
from core.fetch.host_failures import HostFailures
from core.fetch.partial_file import Version, version_of
from core.runtime.errors import FetchError


def probe(client: Client, addresses: Iterable[Address], max_parallel: int = 8) -> list[Version | str]:
    """Return each file's version, in order, or what went wrong. The size is None if the server does not say."""
    failures = HostFailures()
    with ThreadPoolExecutor(max_parallel, "probe") as pool:
        try:
            return list(pool.map(lambda address: _probe_one(client, failures, address), addresses))
        except BaseException:
            client.stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _probe_one(client: Client, failures: HostFailures, address: Address) -> Version | str:
    try:
        failures.check(address)
    except FetchError as error:
        # Not recorded: that a host is not asked says nothing about it.
        return str(error)
    try:
        found = _ask(client, address)
    except FetchError as error:
        failures.record(address, error)
        return str(error)
    failures.record(address)
    return found


def _ask(client: Client, address: Address) -> Version:
    with client.request(address, method="HEAD") as response:
        if response.status == 200:
            return version_of(response)
    # Many signed links are valid for GET only. A request for the first byte returns the size as well.
    with client.request(address, {"Range": "bytes=0-0"}) as response:
        if response.status in {200, 206}:
            return version_of(response)
        raise response.refusal(address)
