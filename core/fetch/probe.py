"""What there is at addresses, without fetching it."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from core.fetch.address import Address
from core.fetch.client import Client
from core.fetch.host_failures import HostFailures
from core.fetch.partial_file import Version, version_of
from core.runtime.errors import FetchError


def probe(client: Client, addresses: Iterable[Address], at_once: int = 8) -> list[Version | str]:
    """The version of each file, in order, or the problem. The size of a version is None where it is not told."""
    hosts = HostFailures()
    with ThreadPoolExecutor(at_once, "probe") as pool:
        try:
            return list(pool.map(lambda address: _probe(client, hosts, address), addresses))
        except BaseException:
            client.stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _probe(client: Client, hosts: HostFailures, address: Address) -> Version | str:
    try:
        hosts.check(address)
        with client.ask(address, method="HEAD") as answer:
            hosts.note(address)
            if answer.status == 200:
                return version_of(answer)
        # Signed links are often good for GET alone: its first byte tells the size as well.
        with client.ask(address, {"Range": "bytes=0-0"}) as answer:
            if answer.status in {200, 206}:
                return version_of(answer)
            return str(client.refuse(address, answer))
    except FetchError as error:
        hosts.note(address, error)
        return str(error)
