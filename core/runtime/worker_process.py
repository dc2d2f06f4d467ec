"""A worker process of `workers.py`: it runs the tasks that arrive, one after the other, and sends their results."""

import gc
import os
import pickle
import queue
import struct
import threading
import traceback
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from core.runtime.errors import BeaconError
from core.runtime.task_memory import Span, TaskMemory

MAX_QUEUED_TASKS = 2
"""Tasks that each worker has been sent: the one it works on, and the next, so that it never waits for one."""

WorkerState = dict[str, Any]
"""What a worker keeps from task to task. `worker` is its number, from 0."""

_Message = tuple[bytes, list[Span]]
"""A pickled task, and where its buffers are in the shared memory."""


def serve_tasks(connection: Connection, number: int, memory: TaskMemory | None) -> None:
    """Run the tasks that arrive, until the process that sends them ends."""
    os.environ["POLARS_MAX_THREADS"] = "1"
    gc.disable()  # nothing here makes reference cycles, and looking for them takes a tenth of the time
    inbox: queue.Queue[_Message] = queue.Queue(MAX_QUEUED_TASKS)
    # A thread reads, so that the next task is here when this one is done, and so that the end of the pipe is noticed
    # in the middle of one.
    threading.Thread(target=_fill, args=(connection, inbox), daemon=True).start()
    state: WorkerState = {"worker": number}
    while True:
        message, spans = inbox.get()
        buffers = [memory.view(span) for span in spans] if memory else []
        function, arguments = pickle.loads(message, buffers=buffers)  # noqa: S301 - from the process that started this one
        try:
            reply = (True, function(state, *arguments))
        except Exception as error:  # noqa: BLE001 - raised where the work was asked for
            reply = (False, _make_portable(error))
        with suppress(OSError):
            connection.send(reply)


def _fill(connection: Connection, inbox: "queue.Queue[_Message]") -> None:
    try:
        while True:
            head = connection.recv_bytes()
            parts, *bounds = struct.unpack(f">{len(head) // 8}Q", head)
            message = b"".join([connection.recv_bytes() for _ in range(parts)])
            inbox.put((message, list(zip(bounds[::2], bounds[1::2], strict=True))))
    except (EOFError, OSError):
        # The other process has ended, perhaps by SIGKILL: the system closes its end of the pipe in every case.
        os._exit(0)


def _make_portable(error: Exception) -> Exception:
    """Return the error as one that can be sent to another process; its traceback, which cannot, becomes a note."""
    trace = traceback.format_exc()
    try:
        error = pickle.loads(pickle.dumps(error))  # noqa: S301 - what was pickled in the same line
    except Exception:  # noqa: BLE001 - some classes cannot be unpickled
        return RuntimeError(trace)
    if not isinstance(error, BeaconError):
        error.add_note(trace)
    return error
