"""``kerashpo dashboard PATH``: optuna-dashboard on a live mirror of studies."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any, final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from kerashpo.core.errors import InvalidInput, require_integer
from kerashpo.core.requirements import require_package


@final
class _Server(ThreadingMixIn, WSGIServer):
    """Answers several requests at a time."""

    daemon_threads = True


@final
class _Quiet(WSGIRequestHandler):
    """Writes no line for each request."""

    def log_message(self, format: str, *args: Any) -> None:
        return


def open_dashboard(path: str | Path, host: str = "localhost", port: int = 8080) -> WSGIServer:
    """Returns a server of the dashboard, bound to its address; ``serve_forever`` begins to answer.

    Args:
        path: a study's folder, or one that holds studies.
        host: the name or address to listen at; ``"localhost"`` is reachable from here alone.
        port: the port; 0 for a free one.

    Raises:
        InvalidInput: if the address cannot be listened at.
        MissingExtra: if optuna-dashboard is not installed.
        StudyNotFound: if there is no study.
    """
    require_integer("--port", port, 0)
    require_package("optuna_dashboard", "kerashpo dashboard", extra="dashboard")
    from optuna_dashboard import wsgi

    from kerashpo.export.mirror import MirrorStorage

    app: Callable[..., Any] = wsgi(MirrorStorage(path))
    try:
        return make_server(host, port, app, server_class=_Server, handler_class=_Quiet)
    except (OSError, OverflowError) as error:
        why = (getattr(error, "strerror", None) or str(error)).rstrip(".")
        raise InvalidInput(
            f"Cannot listen at {host}:{port}: {why}. Choose another address with --host and "
            "--port; --port 0 takes a free one."
        ) from error


def serve(path: str | Path, host: str, port: int, say: Callable[[str], None]) -> None:
    """Answers the dashboard's requests until Ctrl-C.

    Args:
        path, host, port: see `open_dashboard`.
        say: prints the address.
    """
    with open_dashboard(path, host, port) as server:
        say(f"{os.fspath(path)}: http://{host}:{server.server_port}/dashboard (Ctrl-C ends it)")
        server.serve_forever()
