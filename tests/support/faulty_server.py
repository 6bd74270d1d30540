"""An HTTP server of a folder that can refuse, lose, cut short and delay what is asked for."""

import threading
import time
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from subtomo.sources.http_files import Patience

HASTY = Patience(connect=0.8, read=0.8, attempts=2, pause=0.0)  # a busy machine answers later


class Faults:
    """What goes wrong, by a part of the address, and what was asked for.

    Kinds: ``refused``, ``missing``, ``cut``, ``slow``, ``failing once``, ``garbled``, and
    ``busy N``, which asks once for a pause of N (Retry-After).
    """

    def __init__(self):
        self.kinds = {}
        self.asked = []

    def of(self, path):
        return next((kind for part, kind in self.kinds.items() if part in path), None)


def faulty(handler, faults):
    """Make a handler that behaves as told, and else as another one."""

    class Faulty(handler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            faults.asked.append(self.path)
            match faults.of(self.path):
                case "refused":
                    self._answer(403, b"no")
                case "missing":
                    self._answer(404, b"no")
                case "failing once" if faults.asked.count(self.path) == 1:
                    self._answer(503, b"later")
                case str(kind) if kind.startswith("busy ") and faults.asked.count(self.path) == 1:
                    self._answer(429, b"later", retry_after=kind.removeprefix("busy "))
                case "cut":
                    self._answer(200, b"x" * 100, told=5000)
                case "garbled":
                    self._answer(200, b"x" * 100)
                case "slow":
                    time.sleep(2.0)
                    self.close_connection = True
                case _:
                    super().do_GET()

        def _answer(self, status, body, told=None, retry_after=None):
            self.send_response(status)
            if retry_after is not None:
                self.send_header("Retry-After", retry_after)
            self.send_header("Content-Length", str(told or len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = told is not None

        def log_message(self, *words):
            pass

    return Faulty


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request, client_address):
        """Say nothing of clients that went away."""


@contextmanager
def running(server):
    """Run a server in a thread."""
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def serving(folder):
    """Serve a folder; gives its address and its faults."""
    faults = Faults()
    handler = partial(faulty(SimpleHTTPRequestHandler, faults), directory=str(folder))
    server = QuietServer(("127.0.0.1", 0), handler)
    with running(server):
        yield f"http://127.0.0.1:{server.server_address[1]}", faults
