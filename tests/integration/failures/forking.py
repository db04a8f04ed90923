"""A process that has imported all of replfix and becomes a command line of it whenever it is asked: forked, so each has
a process of its own, and without the half second of imports, which the tests of a run would wait for hundreds of times.

Each request is one message: the arguments, variables and directory as JSON, with the files that are to be stdin, stdout
and stderr, and one to answer in: the number of the process, then its exit code, a line each.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import resource
import signal
import socket
import sys
from collections.abc import Sequence

from tests.integration.failures.dying import Points

MOST = 1 << 18  # bytes of a request


def serve(requests: socket.socket) -> None:
    """Until the other end is closed."""
    import replfix

    for module in pkgutil.walk_packages(replfix.__path__, "replfix."):
        if not module.name.startswith(("replfix.__main__", "replfix.tui")):
            importlib.import_module(module.name)
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them: they say themselves how they ended
    while True:
        request, files, _, _ = socket.recv_fds(requests, MOST, 4)
        if not request:
            return
        if os.fork() == 0:
            requests.close()
            become(json.loads(request), files)
        for file in files:
            os.close(file)


def become(request: dict[str, object], files: Sequence[int]) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored, where the tests run in the background
    *standard, answer = files
    for number, file in enumerate(standard):
        os.dup2(file, number)
        os.close(file)
    os.set_inheritable(answer, False)  # servers that the command starts stay when it has ended
    os.write(answer, f"{os.getpid()}\n".encode())
    code: object = 1
    try:
        os.environ.clear()
        os.environ.update(request["environment"])  # type: ignore[call-overload]
        os.chdir(str(request["directory"]))
        sys.argv = ["replfix", *request["arguments"]]  # type: ignore[misc]
        if (dying := request.get("dying")) is not None:
            Points(*dying).watch()  # type: ignore[misc]
        if (patience := request.get("patience")) is not None:
            from replfix.mysql.connection import session
            from replfix.mysql.write import repair
            from replfix.wire import guarded

            session.READ_SECONDS = guarded.CONNECT_SECONDS = repair.WORK_SECONDS = patience  # type: ignore[assignment]
        if (queueing := request.get("queueing")) is not None:
            from replfix.audit.stores import sqlite_file

            vars(sqlite_file)["BUSY_SECONDS"] = queueing
        if isinstance(room := request.get("room"), int):
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
        from replfix.__main__ import main

        main()
    except SystemExit as end:
        code = end.code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(answer, f"{code}\n".encode())
        os._exit(0)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
