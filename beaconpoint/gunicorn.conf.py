"""How gunicorn serves the site: one process with threads, because DuckDB releases the GIL and shares its caches."""

import ctypes
import gc
import os
import sys
from importlib.util import find_spec

from gunicorn.config import Config
from gunicorn.glogging import Logger

from core.runtime.log_lines import json_formatter

bind = os.environ.get("BEACONPOINT_BIND", "127.0.0.1:8000")
workers = 1
# Many more than the lanes have places and queues together (core/pages/shared/lanes/admission.py), so that there is
# always a thread for a page that is kept.
threads = int(os.environ.get("BEACONPOINT_THREADS", "96"))
worker_class = "beaconpoint.worker.LaneWorker"
preload_app = False  # a DuckDB connection does not survive a fork
timeout = 60
graceful_timeout = 15
max_requests = 0
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108, PTH112 - for the heartbeat only
accesslog = None  # the site writes a line for each request itself

control_socket_disable = True  # gunicorn would open one in the home directory

_M_ARENA_MAX, _M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD = -8, -3, -1
_LARGE = 1 << 20

_LOOKED_FOR = ("pandas", "dateutil")
"""What DuckDB and Arrow look for at each question with parameters and each table: forty times a page, 0.1 ms each."""

# DuckDB and Polars bring allocators of their own, which keep what was freed for ten seconds, by processor. Giving it
# back at once takes twice as long for each page; after a fifth of a second, it takes no longer.
for _name in ("DUCKDB_JE_MALLOC_CONF", "_RJEM_MALLOC_CONF"):
    os.environ.setdefault(_name, "narenas:2,dirty_decay_ms:200,muzzy_decay_ms:0")


def post_fork(server: object, worker: object) -> None:  # noqa: ARG001 - gunicorn's signature
    """Let glibc give memory back to the system.

    Threads share two arenas; one each keeps what every thread once needed. What is larger than `_LARGE` is mapped by
    itself and goes back as soon as it is freed: left alone, glibc raises this bound with the first large table, and
    120 different pages then leave 1,100 to 1,400 MiB where 800 are in use.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 2)
        mallopt(_M_MMAP_THRESHOLD, _LARGE)
        mallopt(_M_TRIM_THRESHOLD, _LARGE)


class JsonLogger(Logger):  # type: ignore[misc]
    """Write gunicorn's own lines as the site's are written: one JSON object each."""

    def setup(self, cfg: Config) -> None:
        """Set up gunicorn's loggers."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(json_formatter())


if os.environ.get("BEACONPOINT_LOG_FORMAT", "json") == "json":
    logger_class = JsonLogger


def post_worker_init(worker: object) -> None:  # noqa: ARG001 - gunicorn's signature
    """Serve the metrics, make a page or two before the first visitor comes, and watch the store for /readyz."""
    import pyarrow as pa  # noqa: PLC0415 - not before the fork
    from django.conf import settings  # noqa: PLC0415 - Django is not set up before

    from core.monitoring.metrics_server import start_metrics  # noqa: PLC0415
    from core.open_store import check_files_in_background  # noqa: PLC0415
    from core.pages.serving.health import STORE_WATCH  # noqa: PLC0415
    from core.pages.serving.warm_up import warm_up  # noqa: PLC0415

    # A thread that wants the interpreter waits for it this long at most. A page asks for it several hundred times:
    # after each step of a question, DuckDB has to get it back from the threads that compute.
    sys.setswitchinterval(0.0001)
    for name in _LOOKED_FOR:
        if find_spec(name) is None:
            # Python then knows that there is none, without looking through its path again.
            sys.modules[name] = None  # type: ignore[assignment]
    # Arrow's own allocator keeps what a download once needed.
    pa.set_memory_pool(pa.system_memory_pool())
    start_metrics(settings.BEACONPOINT_METRICS_BIND)
    warm_up()
    check_files_in_background()
    # After a load, nobody waits for the first page of the new generation either.
    STORE_WATCH.start(when_new=warm_up)
    # What is there now stays. Looking through all of it for garbage stops every thread for a tenth of a second.
    gc.collect()
    gc.freeze()
