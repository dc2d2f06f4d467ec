"""gunicorn's worker with threads, but for two things: who gets a thread, and who does not wait for one.

A connection gets a thread once it has sent something, so that connections that say nothing take none. Health checks
have a thread of their own, so that they are answered even while every other thread is taken.
"""

import errno
import selectors
import socket
import time
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

_HEALTH = tuple(f"{method} /{name} ".encode() for method in ("GET", "HEAD") for name in ("healthz", "readyz"))
_FIRST_BYTES = max(map(len, _HEALTH))
_NOT_YET = frozenset((errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK))


class LaneWorker(ThreadWorker):  # type: ignore[misc]
    """A ThreadWorker with a lane for health checks."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._health_pool = ThreadPoolExecutor(1, "health")

    def accept(self, listener: socket.socket) -> None:
        """Accept a connection, and wait for its first bytes without a thread."""
        try:
            client_sock, client_addr = listener.accept()
        except OSError as error:
            if error.errno not in _NOT_YET:
                raise
            return
        self.nr_conns += 1
        conn = TConn(self.cfg, client_sock, client_addr, listener.getsockname())
        if _first_bytes(client_sock):
            conn.data_ready = True
            self.enqueue_req(conn)
            return
        conn.timeout = time.monotonic() + self.cfg.keepalive
        self.pending_conns.append(conn)
        self.poller.register(client_sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def enqueue_req(self, conn: TConn) -> None:
        """Submit a connection to the threads of its lane."""
        pool = self._health_pool if is_health_check(_first_bytes(conn.sock)) else self.tpool
        future = pool.submit(self.handle, conn)
        future.add_done_callback(partial(self._finish, conn))

    def _finish(self, conn: TConn, future: "Future[Any]") -> None:
        self.method_queue.defer(self.finish_request, conn, future)


def is_health_check(first_bytes: bytes) -> bool:
    """Return whether a request that begins so is for one of the addresses for monitoring."""
    return first_bytes.startswith(_HEALTH)


def _first_bytes(sock: socket.socket) -> bytes:
    """Return the first bytes that have arrived, and leave them there; none if nothing has."""
    try:
        return sock.recv(_FIRST_BYTES, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except OSError:
        return b""
