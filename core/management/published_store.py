"""Open the published store that the settings name."""

import os
from pathlib import Path

from django.conf import settings

from core.cluster.place import StorePlace
from core.cluster.publication.catalog import Catalog
from core.cluster.publication.publication_log import PublicationLog
from core.cluster.publication.publish import Publisher
from core.runtime.errors import BeaconError


def open_place() -> StorePlace:
    """Return the place of the published store. Raise BeaconError if the settings name none."""
    url = settings.BEACONPOINT_OBJECT_STORE
    if not url:
        raise BeaconError(
            "no object store is set; expected BEACONPOINT_DATA_DIR=s3://bucket/prefix, with BEACONPOINT_COPY_DIR for "
            "the directory of this machine (see docs/cluster.md)"
        )
    return StorePlace(url)


def open_publisher() -> Publisher:
    """Return what publishes to the place. Raise BeaconError if the settings name no catalog."""
    place, uri = open_place(), settings.BEACONPOINT_CATALOG
    if not uri:
        raise BeaconError(
            "no catalog is set; expected BEACONPOINT_CATALOG, such as postgresql+psycopg2://… or https://…"
        )
    names = {
        "s3.endpoint": "AWS_ENDPOINT_URL",
        "s3.access-key-id": "AWS_ACCESS_KEY_ID",
        "s3.secret-access-key": "AWS_SECRET_ACCESS_KEY",
        "s3.region": "AWS_REGION",
        "token": "BEACONPOINT_CATALOG_TOKEN",
    }
    storage = tuple((name, os.environ[variable]) for name, variable in names.items() if os.environ.get(variable))
    return Publisher(PublicationLog(place), Catalog(place, uri, storage), downloads_dir("publish"))


def downloads_dir(name: str) -> Path:
    """Return where downloads from the published store are kept. Each use has a folder of its own."""
    data: Path = settings.BEACONPOINT_DATA_DIR
    return (settings.BEACONPOINT_CACHE_DIR or data.with_name(f"{data.name}-cache")) / "cluster" / name
