"""A server that stops as waitress does by itself: for tests that show what that costs."""

import signal
import sys

from waitress.server import create_server

from survey import create_app, jobs


def interrupt(*_signal: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, interrupt)
    app = create_app()
    server = create_server(app, host="127.0.0.1", port=int(sys.argv[1]), threads=8)
    with jobs.working(app):
        try:
            server.run()
        finally:
            server.close()
