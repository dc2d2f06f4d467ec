"""How gunicorn serves the site: one process with threads, because DuckDB releases the GIL and shares its caches."""

import ctypes
import gc
import os
import sys

bind = os.environ.get("BEACONPOINT_BIND", "127.0.0.1:8000")
workers = 1
# Many more than the lanes have places and queues together (core/pages/shared/admission.py), so that there is always a
# thread for a page that is kept.
threads = int(os.environ.get("BEACONPOINT_THREADS", "96"))
worker_class = "beaconpoint.worker.LaneWorker"
preload_app = False  # a DuckDB connection does not survive a fork
timeout = 60
graceful_timeout = 15
max_requests = 0
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108, PTH112 - for the heartbeat only
accesslog = None

control_socket_disable = True  # gunicorn would open one in the home directory

_M_ARENA_MAX = -8


def post_fork(server: object, worker: object) -> None:  # noqa: ARG001 - gunicorn's signature
    """Let threads share two arenas of memory. One each, as glibc has it, keeps what every thread once needed."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 2)


def post_worker_init(worker: object) -> None:  # noqa: ARG001 - gunicorn's signature
    """Make a page or two before the first visitor comes, and begin to watch the store for /readyz."""
    import pyarrow as pa  # noqa: PLC0415 - not before the fork

    from core.pages.health import STORE_WATCH  # noqa: PLC0415 - Django is not set up before
    from core.pages.warm_up import warm_up  # noqa: PLC0415

    # A thread that wants the interpreter waits for it this long at most: 5 ms, for each of the threads that compute,
    # make a health check late.
    sys.setswitchinterval(0.001)
    # Arrow's own allocator keeps what a download once needed.
    pa.set_memory_pool(pa.system_memory_pool())
    warm_up()
    STORE_WATCH.start()
    # What is there now stays. Looking through all of it for garbage stops every thread for a tenth of a second.
    gc.collect()
    gc.freeze()
