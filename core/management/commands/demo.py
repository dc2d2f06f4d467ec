"""Show everything on made-up data."""

import argparse
import os
import shlex
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Any

from django.conf import settings
from django.core.management import call_command

from core import open_store
from core.demo.compensation_fees import write_compensation_fees
from core.demo.hospital_fees import write_hospital_fees
from core.demo.item_fees import write_item_fees
from core.demo.item_rates import write_item_rates
from core.demo.organization_list import write_organizations
from core.demo.payer_files import MONTHS, STATE, write_files
from core.demo.physician_fees import write_physician_fees
from core.demo.place_files import write_place_files
from core.demo.provider_register import write_further_files, write_register
from core.demo.utilization import write_utilization
from core.management import base_command
from core.queries.market.market import Market
from core.queries.rates import summarize_rates
from core.reference.benchmark_kinds import load_benchmark
from core.reference.medicare.professional import physician
from core.reference.nppes.load_register import load_nppes
from core.reference.organizations.load_organizations import load_organizations
from core.reference.places.load_places import load_places
from core.reference.utilization.load_utilization import load_utilization
from core.runtime.errors import BeaconError

CODE = ("CPT", "99213")


class Command(base_command.Command):
    """manage.py demo."""

    needs_apps = True
    help = """\
Write files of three made-up payers for two months, load them and small Medicare fee schedules, check the data, print a
table of rates, and serve the site.

The data goes into a new directory. Existing data is never touched. With --no-serve, nothing of it is kept unless
--data-dir says where.

  manage.py demo
  manage.py demo --no-serve
  manage.py demo --no-serve --data-dir /tmp/demo
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command line."""
        parser.add_argument("--no-serve", action="store_true", help="stop after the table of rates")
        parser.add_argument(
            "--data-dir", type=Path, help="where to put the data: a directory that does not exist or is empty"
        )
        parser.add_argument("--port", type=int, default=8000, help="the site's port on 127.0.0.1 (default 8000)")

    def run(self, no_serve: bool, data_dir: Path | None, port: int, **_options: Any) -> None:
        """Run every step with made-up data."""
        if not no_serve:
            _refuse_used_port(port)
        directory = _new_directory(data_dir)
        with _removed(directory, at_end=no_serve and data_dir is None, on_failure=data_dir is None):
            self._show(directory)
            if data_dir is None and no_serve:
                self.stdout.write("\nNothing of this is kept. To keep it, name a directory: --data-dir DIRECTORY")
            elif no_serve:
                command = write_serve_command(settings.BEACONPOINT_DATA_DIR, windows=sys.platform == "win32")
                self.stdout.write(f"\nTo see the site: {command}")
        if not no_serve:
            self._serve(port)

    def _show(self, directory: Path) -> None:
        """Write files, load them, and show what is in them."""
        settings.BEACONPOINT_DATA_DIR = directory / "data"
        settings.BEACONPOINT_CACHE_DIR = directory / "cache"
        settings.BEACONPOINT_TEMP_DIR = directory / "temp"
        sources = directory / "sources"
        sources.mkdir()
        self.stdout.write(f"Demo data in {directory}\n")
        self.stdout.write("\n1. Three payers' files for two months: manage.py ingest_mrf --state GA sources/*")
        files = [*write_files(sources), write_item_rates(sources)]
        call_command("ingest_mrf", *map(str, files), state=[STATE], stdout=self.stdout, stderr=self.stderr)
        self.stdout.write("\n2. The Medicare fee schedule: manage.py load_benchmark medicare_prof PPRRVU… GPCI…")
        loaded = physician.load(open_store.store(), write_physician_fees(sources))
        self.stdout.write(f"  {loaded.rows_priced} rows priced, {loaded.months[0]} to {loaded.months[-1]}")
        for kind, files in write_hospital_fees(sources).items():
            self.stdout.write(f"   What Medicare pays hospitals: manage.py load_benchmark {kind} …")
            load_benchmark(open_store.store(), kind, files)
        for kind, files in write_item_fees(sources).items():
            self.stdout.write(f"   What it pays for labs, drugs, and equipment: manage.py load_benchmark {kind} …")
            load_benchmark(open_store.store(), kind, files)
        self.stdout.write("   A workers' compensation schedule: manage.py load_benchmark wcfs GA_2025_…")
        load_benchmark(open_store.store(), "wcfs", write_compensation_fees(sources))
        self.stdout.write("\n3. Who the providers are: manage.py load_nppes npidata_pfile_… nucc_taxonomy_…")
        named = load_nppes(open_store.store(), [*write_register(sources), *write_further_files(sources)])
        self.stdout.write(f"  {named.named} of the {named.in_use} NPIs have a name, {named.deactivated} deactivated")
        self.stdout.write("   Where they practice: manage.py load_places ZIP5_… list1_… zip_county_… Gaz_zcta_…")
        placed = load_places(open_store.store(), write_place_files(sources)).providers
        self.stdout.write(
            f"  {placed.with_county} of the {placed.npis} NPIs have a county, {placed.with_specialty} a specialty"
        )
        self.stdout.write("   What they bill to Medicare: manage.py load_utilization MUP_PHY_…")
        use = load_utilization(open_store.store(), [write_utilization(sources)])
        self.stdout.write(f"  {use.rows} rows of {use.clinicians} clinicians, {use.last_year}")
        self.stdout.write("   Whose tax IDs these are: manage.py load_organizations organizations_demo.csv")
        rolled_up = load_organizations(open_store.store(), [write_organizations(sources)])
        self.stdout.write(
            f"  {rolled_up.named} of the {rolled_up.tins} tax IDs have a name, {rolled_up.in_system} a health system"
        )
        self.stdout.write("\n4. Is the data sound? manage.py dq_check")
        call_command("dq_check", stdout=self.stdout, stderr=self.stderr)
        self.stdout.write(f"\n5. What is {' '.join(CODE)} (a clinic visit) worth in Georgia in August 2025?")
        self._print_rates()

    def _print_rates(self) -> None:
        db = open_store.snapshot()
        if db is None:
            raise BeaconError("the demo's data cannot be read: the store is empty")
        self.stdout.write(f"  {'payer':<40} {'class':<14} {'rates':>5} {'p10':>9} {'median':>9} {'p90':>9}")
        for row in summarize_rates(db, Market(STATE, MONTHS[-1], *CODE)):
            unit = "" if row.kind == "dollars" else f"  ({row.kind})"
            self.stdout.write(
                f"  {row.reporting_entity_name:<40} {row.billing_class or '':<14} {row.rates:>5} "
                f"{row.p10:>9,.2f} {row.p50:>9,.2f} {row.p90:>9,.2f}{unit}"
            )

    def _serve(self, port: int) -> None:
        address = f"http://127.0.0.1:{port}"
        query = f"state={STATE}&year_month={MONTHS[-1]}"
        self.stdout.write(f"\nThe site is at {address}/ (stop it with Ctrl-C). Try:")
        self.stdout.write(f"  {address}/rates/?{query}&code_type=CPT&code=99213")
        self.stdout.write(f"  {address}/medicare/?{query}&code_type=CPT&code=70450")
        self.stdout.write(f"  {address}/compensation/?{query}&code=70450")
        self.stdout.write(f"  {address}/organizations/?{query}&code_type=CPT&code=99214")
        self.stdout.flush()
        if sys.platform == "win32":
            _serve_on_windows(port)
            return
        config = settings.BASE_DIR / "beaconpoint" / "gunicorn.conf.py"
        environment = {
            **os.environ,
            "BEACONPOINT_DATA_DIR": str(settings.BEACONPOINT_DATA_DIR),
            "BEACONPOINT_BIND": f"127.0.0.1:{port}",
            "BEACONPOINT_LOG_FORMAT": "text",
        }
        os.chdir(settings.BASE_DIR)
        arguments = ["-m", "gunicorn", "--config", str(config), "--log-level", "warning", "beaconpoint.wsgi"]
        os.execve(sys.executable, [sys.executable, *arguments], environment)  # noqa: S606 - our own server


def write_serve_command(data: PurePath, *, windows: bool) -> str:
    """Return what a person types to serve a data directory: in a shell, or on Windows in PowerShell."""
    if windows:
        quoted = str(data).replace("'", "''")
        return f"$env:BEACONPOINT_DATA_DIR = '{quoted}'; .venv\\Scripts\\python manage.py runserver"
    return f"BEACONPOINT_DATA_DIR={shlex.quote(str(data))} .venv/bin/python manage.py runserver"


@contextmanager
def _removed(directory: Path, *, at_end: bool, on_failure: bool) -> Iterator[None]:
    """Remove a directory at the end, or after a failure, of which Ctrl-C is one."""
    succeeded = False
    try:
        yield
        succeeded = True
    finally:
        if at_end if succeeded else on_failure:
            open_store.close()  # Windows removes no file that is open
            shutil.rmtree(directory, ignore_errors=True)


def _new_directory(wanted: Path | None) -> Path:
    if wanted is None:
        return Path(tempfile.mkdtemp(prefix="beaconpoint-demo-"))
    if wanted.exists() and (not wanted.is_dir() or any(wanted.iterdir())):
        raise BeaconError(f"{wanted}: there are files here already; name a directory that does not exist or is empty")
    wanted.mkdir(parents=True, exist_ok=True)
    return wanted.resolve()


def _serve_on_windows(port: int) -> None:
    """Serve the site from this process. gunicorn needs fork, and exec would return to the prompt at once."""
    from django.core.servers.basehttp import get_internal_wsgi_application  # noqa: PLC0415 - not needed to load
    from waitress import serve  # noqa: PLC0415 - a dependency on Windows only

    serve(
        get_internal_wsgi_application(),
        listen=f"127.0.0.1:{port}",
        threads=int(os.environ.get("BEACONPOINT_THREADS", "24")),
    )


def _refuse_used_port(port: int) -> None:
    # With SO_REUSEADDR, Windows lets two programs listen on one port.
    reuse = getattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_REUSEADDR)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, reuse, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise BeaconError(f"port {port} cannot be used ({error.strerror}); name another with --port") from None
