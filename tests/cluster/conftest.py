"""Places for published stores: a local directory, and an S3 server on loopback."""

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from core.cluster.demo_storage import BUCKET, serve_s3
from core.cluster.place import StorePlace
from core.cluster.publication.publish import Publisher
from tests.cluster.files import make_publisher


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = [name for name in ("ray", "pyiceberg", "obstore") if find_spec(name) is None]
    for item in items if missing else ():
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="needs the optional group: uv sync --group cluster-dev"))


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Serve S3 on loopback, and point this process's clients to it."""
    with serve_s3(tmp_path_factory.mktemp("s3")) as variables:
        before = dict(os.environ)
        os.environ |= variables
        yield variables
        os.environ.clear()
        os.environ |= before


@pytest.fixture(params=["file", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> StorePlace:
    """Return an empty place of each kind."""
    if request.param == "file":
        return StorePlace((tmp_path / "place").as_uri())
    request.getfixturevalue("s3")
    return StorePlace(f"s3://{BUCKET}/{tmp_path.name}")


@pytest.fixture
def publisher(place: StorePlace, tmp_path: Path) -> Publisher:
    """Return a publisher to the place."""
    return make_publisher(place, tmp_path)
