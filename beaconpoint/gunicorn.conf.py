"""How gunicorn serves the site: one process with threads, because DuckDB releases the GIL and shares its caches."""

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
    """Make a page or two before the first visitor comes."""
    from core.pages.warm_up import warm_up  # noqa: PLC0415 - Django is not set up before

    warm_up()
