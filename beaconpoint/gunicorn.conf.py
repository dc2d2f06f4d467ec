"""How gunicorn serves the site: one process of several threads, as DuckDB frees the GIL and shares its caches."""

import os

bind = os.environ.get("BEACONPOINT_BIND", "127.0.0.1:8000")
workers = 1
threads = int(os.environ.get("BEACONPOINT_THREADS", "24"))
worker_class = "gthread"
preload_app = False  # a DuckDB connection does not survive a fork
timeout = 60
graceful_timeout = 15
max_requests = 0
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108, PTH112 - for the heartbeat only
accesslog = None

control_socket_disable = True  # gunicorn would open one in the home directory


def post_worker_init(worker: object) -> None:  # noqa: ARG001 - gunicorn's signature
    """Imports the pages and opens the store before the first visitor comes."""
    import django.urls  # noqa: PLC0415 - Django is not set up before

    from core import data  # noqa: PLC0415
    from core.errors import BeaconError  # noqa: PLC0415

    django.urls.get_resolver().url_patterns  # noqa: B018 - to read it imports what it names
    try:
        db = data.snapshot()
        if db is not None:
            db.rows("SELECT count(*) FROM fact_rate")
    except BeaconError:
        pass  # the pages tell what is wrong
