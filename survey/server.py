"""The server of `preview360 serve`: waitress, which stops without hanging up on anybody."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from flask import Flask
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import create_server

from survey import jobs
from survey.errors import Refused, marked
from survey.site import EXTENSION, Site

# What is larger is not even read; each view says in a sentence how much less it takes.
LARGEST_REQUEST = 20_000_000
SECONDS_TO_FINISH = 20.0
# Whoever has connected and says nothing for so long may be hung up on.
SECONDS_OF_SILENCE = 1.0


class PortTaken(Refused):
    """Somebody else listens there."""

    message = marked(
        "Port %(port)s on %(host)s cannot be used: %(reason)s. Choose another with --port."
    )


class Server:
    """Listens from the beginning, and answers while it runs."""

    def __init__(self, app: Any, host: str, port: int, threads: int = 8) -> None:
        """Listen. Raises PortTaken."""
        self._stopping = threading.Event()
        # Everything that waitress listens and talks to.
        self._map: dict[int, Any] = {}
        try:
            self._server = create_server(
                app,
                map=self._map,
                host=host,
                port=port,
                threads=threads,
                max_request_body_size=LARGEST_REQUEST,
                ident=None,
                clear_untrusted_proxy_headers=False,
            )
        except (OSError, ValueError) as error:
            reason = str(getattr(error, "strerror", None) or error).rstrip(".")
            raise PortTaken(port=port, host=host, reason=reason) from error
        # A name like localhost may stand for several addresses.
        self._listeners = [each for each in self._map.values() if each.accepting]

    @property
    def port(self) -> int:
        """Return the port it listens on, also where 0 asked for any that is free."""
        taken: int = self._listeners[0].socket.getsockname()[1]
        return taken

    def run(self) -> None:
        """Answer until stopped, then what was asked before that, and close."""
        while not self._stopping.is_set():
            wasyncore.loop(timeout=1, map=self._map, count=1)
        self._finish()

    def stop(self) -> None:
        """Let `run` end soon; may be called from any thread, and from a signal."""
        self._stopping.set()
        self._listeners[0].pull_trigger()

    def _finish(self) -> None:
        for listener in self._listeners:
            self._take_who_waits(listener)
            # Its own `close` would also close what tells this loop that an answer is ready.
            wasyncore.dispatcher.close(listener)
        until = time.monotonic() + SECONDS_TO_FINISH
        while (callers := self._callers()) and time.monotonic() < until:
            for caller in callers:
                if _is_silent(caller):
                    caller.will_close = True
            wasyncore.loop(timeout=0.1, map=self._map, count=1)
        self._server.task_dispatcher.shutdown()
        wasyncore.close_all(self._map)

    def _take_who_waits(self, listener: Any) -> None:
        """Accept those whose connection stands already; closing the socket would reset it."""
        known = -1
        while known != len(self._map):
            known = len(self._map)
            listener.handle_accept()

    def _callers(self) -> list[HTTPChannel]:
        return [each for each in self._map.values() if isinstance(each, HTTPChannel)]


def _is_silent(caller: HTTPChannel) -> bool:
    """Say whether a caller waits for nothing, and has sent nothing for a while."""
    waits = caller.requests or caller.request or caller.total_outbufs_len
    return not waits and time.time() - caller.last_activity >= SECONDS_OF_SILENCE


def serve_until_stopped(app: Flask, server: Server) -> None:
    """Answer requests and work until the process is asked to stop; asked twice, it ends at once."""
    here: Site = app.extensions[EXTENSION]
    on_stop(here.stopping.set, server.stop)
    with jobs.working(app):
        server.run()


def on_stop(*acts: Callable[[], None]) -> None:
    """Act when the process is asked to stop; the next time it is simply ended."""

    def stop(_number: int, _frame: Any) -> None:
        for number, before in usual.items():
            signal.signal(number, before)
        for act in acts:
            act()

    usual = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    for number in usual:
        signal.signal(number, stop)
