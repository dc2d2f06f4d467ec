"""systemd understands the units, and what it says about their confinement."""

import re
import shutil
import subprocess
from pathlib import Path
from string import Template

import pytest

from core.management.commands.cluster import Command
from tests.deploy.scratch import DEPLOY, install_new, need

SERVICES = sorted(path.name for path in (DEPLOY / "systemd").glob("*.service"))
TIMERS = sorted(path.name for path in (DEPLOY / "systemd").glob("*.timer"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the files of a server, with programs where its units expect them."""
    need("systemd-analyze", "nginx", "openssl")
    root = install_new(tmp_path_factory.mktemp("server"))
    for program in set(re.findall(r"^ExecStart=(\S+)", "".join(map(Path.read_text, _units())), re.MULTILINE)):
        path = root / program.removeprefix("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
    template = root / "etc/systemd/system/beaconpoint-load@.service"
    template.with_name("beaconpoint-load@GA.service").write_text(template.read_text())  # to verify needs a file
    for folder in ("usr/lib/systemd/system", "lib/systemd/system"):
        if (Path("/") / folder / "sysinit.target").exists():  # what the units refer to
            shutil.copytree(Path("/") / folder, root / folder, symlinks=True, dirs_exist_ok=True)
    return root


def _units() -> list[Path]:
    return [DEPLOY / "systemd" / name for name in SERVICES]


def _analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["systemd-analyze", "--no-pager", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _instance(unit: str) -> str:
    return unit.replace("@.", "@GA.")


def test_systemd_finds_no_fault_with_any_unit(server: Path) -> None:
    units = [str(server / "etc/systemd/system" / _instance(name)) for name in [*SERVICES, *TIMERS]]
    done = _analyze("verify", "--man=no", "--generators=no", f"--root={server}", *units)
    assert [line for line in done.stderr.splitlines() if "beaconpoint" in line] == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_confined(server: Path, service: str) -> None:
    """20 means an exposure of 2.0, which systemd calls OK; 10.0 is a service without any confinement."""
    done = _analyze("security", "--offline=true", "--threshold=20", f"--root={server}", _instance(service))
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr


@pytest.mark.parametrize("profile", ["2gb", "4gb"])
def test_the_site_and_the_rest_fit_into_the_machine_together(profile: str) -> None:
    texts = [path.read_text() for path in (DEPLOY / "profiles" / profile).glob("*.conf")]
    limits = [int(found) for text in texts for found in re.findall(r"^MemoryMax=(\d+)M$", text, re.MULTILINE)]
    assert len(limits) == 2
    # What a droplet of that size has, less what the system, nginx and the journal need.
    assert sum(limits) <= {"2gb": 1960, "4gb": 3910}[profile] - 100


def test_every_timer_has_its_service_and_is_enabled() -> None:
    assert {name.removesuffix(".timer") for name in TIMERS} <= {name.removesuffix(".service") for name in SERVICES}
    (started,) = re.findall(r"--now beaconpoint-\{([\w,]+)\}\.timer", (DEPLOY / "install.sh").read_text())
    assert {f"beaconpoint-{name}.timer" for name in started.split(",")} == set(TIMERS)


def test_the_hourly_copy_has_the_states_and_options_of_its_file() -> None:
    service = (DEPLOY / "systemd/beaconpoint-copy.service").read_text()
    example = dict(re.findall(r"^([A-Z_]+)=(.*)$", (DEPLOY / "etc/object-store.example").read_text(), re.MULTILINE))
    (command,) = re.findall(r"^ExecStart=\S+ manage.py cluster (.*)$", service, re.MULTILINE)
    for options, on_s3 in (("", ()), ("--on-s3 TX,CA", ("TX", "CA"))):
        words = Template(command).substitute(example, COPY_OPTIONS=options).split()
        given = Command().create_parser("manage.py", "cluster").parse_args(words)
        assert (given.action, given.state, given.on_s3) == ("copy", ("GA", "FL"), on_s3)
