"""The settings. Everything a deployment may change comes from the environment; an invalid value stops the start.

docs/operating.md lists the variables.
"""

import secrets
import tempfile
from ipaddress import ip_network
from pathlib import Path

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from environs import Env, EnvValidationError, ValidationError, validate

from core.store.generations.layout import LAYOUTS

BASE_DIR = Path(__file__).resolve().parent.parent

env = Env(eager=False, expand_vars=False)

# --- the store ------------------------------------------------------------------------------------------------

# A directory, or the place of a published store: s3://bucket/prefix. This machine then works on a local copy of it.
_place = env.str("BEACONPOINT_DATA_DIR", default="")
BEACONPOINT_OBJECT_STORE = _place if "://" in _place else env.str("BEACONPOINT_OBJECT_STORE", default="")
BEACONPOINT_DATA_DIR = env.path(
    "BEACONPOINT_COPY_DIR" if "://" in _place else "BEACONPOINT_DATA_DIR", default=BASE_DIR / "core" / "data"
)
# Of a published store: the Iceberg catalog (http…, postgresql+psycopg2://… or sqlite:///…), and its name in log lines.
BEACONPOINT_CATALOG = env.str("BEACONPOINT_CATALOG", default="")
# What the service on this machine runs with. A command that runs without it would load into another directory.
BEACONPOINT_ENVIRONMENT_FILE = env.path("BEACONPOINT_ENVIRONMENT_FILE", default=Path("/etc/beaconpoint/environment"))
# Only for a new store; None means the first of LAYOUTS. An existing store keeps its layout. Copies need this one.
BEACONPOINT_FACT_LAYOUT = env.str(
    "BEACONPOINT_FACT_LAYOUT",
    default="partitioned" if BEACONPOINT_OBJECT_STORE else None,
    validate=validate.OneOf(LAYOUTS),
)
BEACONPOINT_GRACE_SECONDS = env.float("BEACONPOINT_GRACE_SECONDS", default=3600, validate=validate.Range(min=60))
# Superseded generations to go back to: the newest so many, and what each of so many days ended with.
BEACONPOINT_KEEP_GENERATIONS = env.int("BEACONPOINT_KEEP_GENERATIONS", default=3, validate=validate.Range(min=0))
BEACONPOINT_KEEP_DAYS = env.int("BEACONPOINT_KEEP_DAYS", default=14, validate=validate.Range(min=0))

# --- fetching files from the web ------------------------------------------------------------------------------

_bytes = validate.Regexp(r"^\d+(MB|GB|TB)$", error="expected a size such as 100MB, 10GB or 1TB")


def _networks(texts: list[str]) -> None:
    for text in texts:
        try:
            ip_network(text, strict=False)
        except ValueError:
            raise ValidationError(f"{text!r} is not a network: expected one such as 10.1.0.0/16") from None


BEACONPOINT_CACHE_DIR = env.path("BEACONPOINT_CACHE_DIR", default=None)
BEACONPOINT_FETCH_PRIVATE: list[str] = env.list("BEACONPOINT_FETCH_PRIVATE", default=[], validate=_networks)
BEACONPOINT_FETCH_TRIES = env.int("BEACONPOINT_FETCH_TRIES", default=6, validate=validate.Range(min=1))
BEACONPOINT_FETCH_BACKOFF = env.float("BEACONPOINT_FETCH_BACKOFF", default=1, validate=validate.Range(min=0))
BEACONPOINT_FETCH_SILENCE = env.float("BEACONPOINT_FETCH_SILENCE", default=60, validate=validate.Range(min=1))
BEACONPOINT_DOWNLOAD_LIMIT = env.str("BEACONPOINT_DOWNLOAD_LIMIT", default="1TB", validate=_bytes)
BEACONPOINT_LOCATION_LIMIT = env.str("BEACONPOINT_LOCATION_LIMIT", default="100MB", validate=_bytes)
BEACONPOINT_UNPACK_LIMIT = env.str("BEACONPOINT_UNPACK_LIMIT", default="2TB", validate=_bytes)
BEACONPOINT_UNPACK_RATIO = env.int("BEACONPOINT_UNPACK_RATIO", default=500, validate=validate.Range(min=2))

# --- what one question may use --------------------------------------------------------------------------------

_size = validate.Regexp(r"^\d+(KB|MB|GB|TB|KiB|MiB|GiB|TiB)$", error="expected a size such as 1GB")
BEACONPOINT_QUERY_MEMORY = env.str("BEACONPOINT_QUERY_MEMORY", default="1GB", validate=_size)
BEACONPOINT_QUERY_THREADS = env.int("BEACONPOINT_QUERY_THREADS", default=2, validate=validate.Range(min=1, max=64))
BEACONPOINT_QUERY_SECONDS = env.float("BEACONPOINT_QUERY_SECONDS", default=5, validate=validate.Range(min=0.1))
BEACONPOINT_QUERY_TEMP_SIZE = env.str("BEACONPOINT_QUERY_TEMP_SIZE", default="4GB", validate=_size)
# Memory of the site's questions; commands may use BEACONPOINT_QUERY_MEMORY.
BEACONPOINT_SITE_MEMORY = env.str("BEACONPOINT_SITE_MEMORY", default="600MB", validate=_size)
# Pages made and files sent at the same time, how long a file may take, and bytes of pages kept in memory.
BEACONPOINT_QUESTIONS = env.int("BEACONPOINT_QUESTIONS", default=3, validate=validate.Range(min=1, max=16))
BEACONPOINT_DOWNLOADS = env.int("BEACONPOINT_DOWNLOADS", default=1, validate=validate.Range(min=1, max=16))
BEACONPOINT_DOWNLOAD_SECONDS = env.float("BEACONPOINT_DOWNLOAD_SECONDS", default=120, validate=validate.Range(min=1))
BEACONPOINT_ANSWER_BYTES = env.int("BEACONPOINT_ANSWER_BYTES", default=64_000_000, validate=validate.Range(min=0))
# The most rates that are compared, matched or checked without a code: more take longer than a question may.
BEACONPOINT_WHOLE_RATES = env.int("BEACONPOINT_WHOLE_RATES", default=2_000_000, validate=validate.Range(min=0))
BEACONPOINT_TEMP_DIR = env.path("BEACONPOINT_TEMP_DIR", default=Path(tempfile.gettempdir()) / "beaconpoint")

# --- what is logged and measured --------------------------------------------------------------------------------

BEACONPOINT_LOG_FORMAT = env.str("BEACONPOINT_LOG_FORMAT", default="text", validate=validate.OneOf(["json", "text"]))
BEACONPOINT_LOG_ADDRESSES = env.bool("BEACONPOINT_LOG_ADDRESSES", default=False)
BEACONPOINT_SLOW_SECONDS = env.float("BEACONPOINT_SLOW_SECONDS", default=1, validate=validate.Range(min=0))
BEACONPOINT_METRICS_BIND = env.str(
    "BEACONPOINT_METRICS_BIND",
    default="",
    validate=validate.Regexp(r"^$|^([\w.-]+|\[[0-9a-fA-F:]+\]):\d{1,5}$", error="expected HOST:PORT or nothing"),
)

# --- the site -------------------------------------------------------------------------------------------------

DEBUG = env.bool("BEACONPOINT_DEBUG", default=False)
ALLOWED_HOSTS = env.list("BEACONPOINT_ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
# The site signs nothing: it has no sessions, no accounts, and no forms that change anything.
SECRET_KEY = env.str("BEACONPOINT_SECRET_KEY", default=secrets.token_urlsafe(50))
_https = env.bool("BEACONPOINT_HTTPS", default=False)
# Whether a proxy tells the addresses of clients (X-Forwarded-For). Without one, anybody could claim any address.
BEACONPOINT_BEHIND_PROXY = env.bool("BEACONPOINT_BEHIND_PROXY", default=False)
# Browsers ship the list of preloaded hosts, and taking a host off it takes months: only an operator can ask for that.
_hsts_preload = env.bool("BEACONPOINT_HSTS_PRELOAD", default=False)
try:
    env.seal()
except EnvValidationError as error:
    raise ImproperlyConfigured(f"{error} (docs/operating.md lists the variables)") from None

SECURE_SSL_REDIRECT = _https
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _https
SECURE_HSTS_PRELOAD = _https and _hsts_preload
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _https else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# No request changes anything (every address allows GET and HEAD only), so there is nothing to forge.
SILENCED_SYSTEM_CHECKS = ["security.W003"]

INSTALLED_APPS = ["django.contrib.staticfiles", "csp", "django_htmx", "core"]
MIDDLEWARE = [
    "core.pages.serving.gate.Gate",
    "core.monitoring.request_log.RequestLog",
    "django.middleware.security.SecurityMiddleware",
    "core.pages.shared.static_files.StaticFilesMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "beaconpoint.urls"
WSGI_APPLICATION = "beaconpoint.wsgi.application"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "builtins": ["core.pages.templatetags.figures", "django.templatetags.static"],
            "string_if_invalid": "",
        },
    },
    # The tables of many rows: five times as quick, see docs/decisions/0063-quick-tables.md.
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "NAME": "tables",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {"environment": "core.pages.templatetags.table_templates.table_environment"},
    },
]
# A select box with fifty options costs a millisecond in Django's own templates.
FORM_RENDERER = "django.forms.renderers.Jinja2"

# Nothing is kept in a Django database: the facts are Parquet.
DATABASES: dict[str, dict[str, str]] = {}

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],  # the style sheet draws its arrows and ticks as data: images
        "script-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = BASE_DIR / "staticfiles"  # written by collectstatic; without it, static/ is served as it is
STORAGES = {"staticfiles": {"BACKEND": "core.pages.shared.static_files.HashedStaticFiles"}}
WHITENOISE_USE_FINDERS = True

USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {"()": "core.runtime.log_lines.json_formatter"},
        "text": {"()": "core.runtime.log_lines.TextFormatter"},
    },
    "filters": {
        "request_id": {"()": "core.runtime.log_lines.AddRequestId"},
        "trim_django": {"()": "core.runtime.log_lines.TrimDjango"},
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": BEACONPOINT_LOG_FORMAT,
            "filters": ["request_id", "trim_django"],
        }
    },
    # A line for each request is for machines. A person at a terminal sees what is slow and what goes wrong.
    "loggers": {"beaconpoint.request": {"level": "INFO" if BEACONPOINT_LOG_FORMAT == "json" else "WARNING"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
}
