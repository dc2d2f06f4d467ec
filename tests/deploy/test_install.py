"""The installer writes a server's files, keeps what an operator changed, and refuses what it does not understand."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from tests.deploy.scratch import DEPLOY, HOST, install, install_new, need, read_files, read_settings
from tests.paths import ROOT


@pytest.fixture(autouse=True)
def _programs() -> None:
    need("nginx", "openssl")


def test_a_server_has_everything_that_its_units_name(tmp_path: Path) -> None:
    root = install_new(tmp_path)
    assert read_settings(root)["BEACONPOINT_ALLOWED_HOSTS"] == HOST
    assert read_settings(root)["BEACONPOINT_DATA_DIR"] == "/srv/beaconpoint/data"
    assert (root / settings.BEACONPOINT_ENVIRONMENT_FILE.relative_to("/")).is_file()
    assert (root / "usr/local/bin/beaconpoint").readlink() == Path("/srv/beaconpoint/current/deploy/bin/beaconpoint")
    assert (root / "etc/beaconpoint/tls/site.pem").resolve().is_file()
    units = {path.name for path in (root / "etc/systemd/system").iterdir()}
    assert units >= {path.name for path in (DEPLOY / "systemd").iterdir()}


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    root = install_new(tmp_path)
    before = read_files(root)
    done = install(root)
    assert (done.returncode, done.stderr) == (0, "")
    assert read_files(root) == before


def test_what_an_operator_changed_stays(tmp_path: Path) -> None:
    root = install_new(tmp_path)
    settings = root / "etc/beaconpoint/environment"
    settings.write_text(settings.read_text().replace("BEACONPOINT_QUERY_THREADS=2", "BEACONPOINT_QUERY_THREADS=1"))
    with settings.open("a") as file:
        file.write("BEACONPOINT_QUERY_SECONDS=9\n")
    own = root / "etc/systemd/system/beaconpoint-site.service.d/override.conf"
    own.write_text("[Service]\nMemoryMax=700M\n")
    (root / "etc/beaconpoint/sources").write_text("--state GA https://payer.example/a.json\n")
    before = read_files(root)
    assert install(root, "--host", HOST).returncode == 0
    assert read_files(root) == before


def test_a_setting_that_a_new_version_adds_is_added_to_an_old_file(tmp_path: Path) -> None:
    root = install_new(tmp_path)
    wanted = read_settings(root)
    settings_file = root / "etc/beaconpoint/environment"
    old = [
        line for line in settings_file.read_text().splitlines() if "METRICS" not in line and "SITE_MEMORY" not in line
    ]
    settings_file.write_text("\n".join([*old, ""]).replace("BEHIND_PROXY=true", "BEHIND_PROXY="))
    assert install(root).returncode == 0
    # An empty value is a decision.
    assert read_settings(root) == {**wanted, "BEACONPOINT_BEHIND_PROXY": ""}


def test_another_profile_and_name_replace_the_ones_before(tmp_path: Path) -> None:
    root = install_new(tmp_path)
    assert install(root, "--profile", "4gb", "--host", "a.example.org,b.example.org").returncode == 0
    wanted = dict(line.split("=") for line in (DEPLOY / "profiles/4gb/environment").read_text().splitlines())
    assert read_settings(root).items() >= wanted.items()
    assert read_settings(root)["BEACONPOINT_ALLOWED_HOSTS"] == "a.example.org,b.example.org"
    limits = root / "etc/systemd/system/beaconpoint-site.service.d/50-memory.conf"
    assert limits.read_text() == (DEPLOY / "profiles/4gb/beaconpoint-site.service.conf").read_text()
    assert "server_name a.example.org b.example.org;" in (root / "etc/nginx/sites-available/beaconpoint").read_text()


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ([], "install.sh: say the site's public name: --host rates.example.org"),
        (["--host", "rates.example.org; rm"], "expected a name such as rates.example.org"),
        (["--host", HOST, "--profile", "8gb"], "--profile 8gb: expected 2gb or 4gb"),
        (["--hosts", HOST], "unknown option --hosts; --help shows the options"),
        (["--host"], "--host needs a value; --help shows the options"),
    ],
)
def test_a_wrong_option_is_one_line_and_writes_nothing(tmp_path: Path, options: list[str], problem: str) -> None:
    done = install(tmp_path, *options)
    assert done.returncode == 1
    assert problem in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_help_names_every_option(tmp_path: Path) -> None:
    done = install(tmp_path, "--help")
    (reader,) = re.findall(
        r"^read_options\(\) \{\n(.*?)^\}", (DEPLOY / "install.sh").read_text(), re.MULTILINE | re.DOTALL
    )
    options = set(re.findall(r"(--[a-z-]+)(?= \||\))", reader))
    assert len(options) > 5
    assert all(option in done.stdout for option in options - {"--help"})


def test_the_installer_uses_the_uv_that_the_readme_names() -> None:
    (version,) = re.findall(r"^uv_version=(\S+)$", (DEPLOY / "install.sh").read_text(), re.MULTILINE)
    assert set(re.findall(r"uv==([\d.]+)", (ROOT / "README.md").read_text())) == {version}


def test_every_setting_of_a_server_is_documented(tmp_path: Path) -> None:
    documented = (ROOT / "docs/operating.md").read_text()
    for profile in ("2gb", "4gb"):
        settings = read_settings(install_new(tmp_path / profile, profile))
        assert [name for name in settings if f"`{name}`" not in documented] == []
