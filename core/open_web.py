"""Open the web for commands, as the settings say: clients, caches and limits."""

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from pathlib import Path

from django.conf import settings

from core.fetch.client import Client, Patience
from core.fetch.download import Downloads
from core.load.fetch_ahead import Web
from core.load.remote.fetch_groups import GroupFetcher
from core.tic.source import UnpackLimits

_BYTES_PER_UNIT = {"MB": 10**6, "GB": 10**9, "TB": 10**12}


def cache_dir() -> Path:
    """Return where downloads are kept until they have been loaded."""
    data: Path = settings.BEACONPOINT_DATA_DIR
    return settings.BEACONPOINT_CACHE_DIR or data.with_name(f"{data.name}-cache")


@contextmanager
def open_web(*, keep: bool = False, locations: bool = True) -> Iterator[Web]:
    """Yield what fetching needs: `keep` keeps downloads, `locations` fetches members of groups. Close it at the end."""
    also = [ip_network(text, strict=False) for text in settings.BEACONPOINT_FETCH_PRIVATE]
    silence = settings.BEACONPOINT_FETCH_SILENCE
    tries, backoff = settings.BEACONPOINT_FETCH_TRIES, settings.BEACONPOINT_FETCH_BACKOFF
    patient = Client(also, Patience(tries, backoff, silence=silence))
    # A file may refer to thousands of small files on hosts that no longer exist, so each gets less patience.
    quick = Client(also, Patience(min(tries, 2), backoff, max_wait=10, connect=10, silence=min(silence, 20)))
    try:
        yield Web(
            patient,
            Downloads(patient, cache_dir(), _bytes(settings.BEACONPOINT_DOWNLOAD_LIMIT)),
            GroupFetcher(
                quick,
                cache_dir() / "locations",
                _bytes(settings.BEACONPOINT_LOCATION_LIMIT),
                ratio=settings.BEACONPOINT_UNPACK_RATIO,
            )
            if locations
            else None,
            UnpackLimits(_bytes(settings.BEACONPOINT_UNPACK_LIMIT), settings.BEACONPOINT_UNPACK_RATIO),
            keep,
        )
    finally:
        quick.close()
        patient.close()


def _bytes(size: str) -> int:
    return int(size[:-2]) * _BYTES_PER_UNIT[size[-2:]]
