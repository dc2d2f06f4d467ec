"""The locked packages can be installed on every system that the documentation names, without a compiler."""

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from packaging.markers import Marker
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import parse_wheel_filename

from tests.paths import ROOT

PYTHONS = ((3, 11), (3, 12), (3, 13), (3, 14))
SYSTEMS = {
    "Linux": ({"sys_platform": "linux", "os_name": "posix", "platform_system": "Linux", "platform_machine": "x86_64"},
              ["manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64", "manylinux_2_24_x86_64",
               "manylinux_2_26_x86_64", "manylinux_2_27_x86_64"]),
    "macOS": ({"sys_platform": "darwin", "os_name": "posix", "platform_system": "Darwin", "platform_machine": "arm64"},
              list(mac_platforms((14, 0), "arm64"))),
    "Windows": ({"sys_platform": "win32", "os_name": "nt", "platform_system": "Windows", "platform_machine": "AMD64"},
                ["win_amd64"]),
}  # fmt: skip

Package = dict[str, Any]


def locked() -> dict[str, list[Package]]:
    """Return the packages of the lock file by name. A package may be there in several versions."""
    found: dict[str, list[Package]] = {}
    for package in tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]:
        found.setdefault(package["name"], []).append(package)
    return found


def needed(system: str, python: tuple[int, int]) -> dict[str, Package]:
    """Return what `uv sync --no-dev` installs on a system."""
    version = ".".join(map(str, python))
    environment = {
        **SYSTEMS[system][0], "python_version": version, "python_full_version": f"{version}.0",
        "implementation_name": "cpython", "platform_python_implementation": "CPython", "extra": "",
    }  # fmt: skip

    def applies(marker: str | None) -> bool:
        return marker is None or Marker(marker).evaluate(environment)

    packages = locked()
    found: dict[str, Package] = {}
    waiting: list[Package] = [{"name": "beaconpoint"}]
    while waiting:
        asked = waiting.pop()
        versions = [one for one in packages[asked["name"]] if asked.get("version") in {None, one["version"]}]
        (package,) = [one for one in versions if any(map(applies, one.get("resolution-markers", [None])))]
        extras = [each for name in asked.get("extra", []) for each in package["optional-dependencies"][name]]
        if package["name"] in found and not extras:
            continue
        found[package["name"]] = package
        waiting += [each for each in [*package.get("dependencies", []), *extras] if applies(each.get("marker"))]
    del found["beaconpoint"]
    return found


def accepted_tags(system: str, python: tuple[int, int]) -> frozenset[Tag]:
    """Return the tags of the wheels that a system's Python installs."""
    platforms = SYSTEMS[system][1]
    interpreter = f"cp{python[0]}{python[1]}"
    return frozenset([*cpython_tags(python, platforms=platforms), *compatible_tags(python, interpreter, platforms)])


def wheel_tags(package: Package) -> Iterator[Tag]:
    """Yield the tags of all wheels of a package."""
    for wheel in package.get("wheels", []):
        yield from parse_wheel_filename(wheel["url"].rsplit("/", 1)[1])[3]


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_package_has_a_wheel_for_the_system(system: str) -> None:
    for python in PYTHONS:
        accepted = accepted_tags(system, python)
        packages = needed(system, python)
        lacking = [name for name, package in packages.items() if accepted.isdisjoint(wheel_tags(package))]
        assert not lacking, f"Python {python} on {system}"
        assert {"django", "duckdb", "polars", "pyarrow", "isal"} <= packages.keys()


def test_windows_gets_another_server_and_the_time_zones() -> None:
    on_windows, elsewhere = needed("Windows", (3, 11)).keys(), needed("macOS", (3, 11)).keys()
    assert on_windows - elsewhere >= {"waitress", "tzdata"}
    assert elsewhere - on_windows >= {"gunicorn"}
    assert needed("Linux", (3, 11)).keys() == elsewhere


def test_a_package_without_a_wheel_is_noticed() -> None:
    only_linux = {"wheels": [{"url": "https://example.org/duckdb-1.5.5-cp311-cp311-manylinux_2_28_x86_64.whl"}]}
    assert accepted_tags("Windows", (3, 11)).isdisjoint(wheel_tags(only_linux))
    assert not accepted_tags("Linux", (3, 11)).isdisjoint(wheel_tags(only_linux))
