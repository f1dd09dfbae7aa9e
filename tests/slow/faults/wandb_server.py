"""A W&B server for tests: accepts everything, refuses everything, or accepts connections and never answers."""

from __future__ import annotations

import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

from tests.slow.faults.wandb_runs import Store


class Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *words) -> None:
        pass

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked += 1
        if self.server.manner == "stalls":
            self.server.closed.wait()
        elif self.server.manner == "takes":
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            self.server.received.append(body)
            self.reply(200, self.server.store.take(self.path, body))
        else:
            self.reply(int(self.server.manner), {"errors": [{"message": "refused"}]})

    do_GET = do_POST = do_PUT = answer

    def reply(self, code: int, content: dict) -> None:
        body = json.dumps(content).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class WandbServer(ThreadingHTTPServer):
    """Listens as long as the `with` block lasts.

    Attributes:
        manner: "takes" every request, "stalls", or a status code to refuse with; can change at any time.
        asked: number of requests.
        received: the bodies of the accepted requests.
        store: the runs they make.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, manner: Literal["takes", "stalls", "401", "500"]) -> None:
        super().__init__(("127.0.0.1", 0), Request)
        self.manner, self.asked, self.received = manner, 0, []
        self.store = Store(self.address)
        self.closed = threading.Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> WandbServer:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error) -> None:
        self.closed.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address) -> None:
        pass  # a client that was killed
