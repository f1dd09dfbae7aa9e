"""A W&B server for tests: accepts everything, refuses everything, or accepts connections and never answers."""

from __future__ import annotations

import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

EMPTY = {"project": None, "entity": None, "serverInfo": None}
VIEWER = {"id": "v", "username": "me", "entity": "me", "flags": "{}", "teams": {"edges": []}}
ARTIFACT = {"id": "a", "digest": "d", "state": "COMMITTED", "artifactSequence": {"id": "s", "latestArtifact": None}}


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
            self.reply(200, {"data": self.data(json.loads(body))} if self.path == "/graphql" else {})
        else:
            self.reply(int(self.server.manner), {"errors": [{"message": "refused"}]})

    do_GET = do_POST = do_PUT = answer

    def data(self, asked: dict) -> dict:
        query, variables = asked["query"], asked.get("variables", {})
        if "upsertBucket" in query:
            project = {"id": "p", "name": variables["project"], "entity": {"id": "e", "name": "me"}}
            bucket = {"id": "b", "name": variables["name"], "displayName": "run", "config": "{}", "project": project}
            return {"upsertBucket": {"bucket": {**bucket, "historyLineCount": 0}, "inserted": True}}
        if "createRunFiles" in query:
            host = f"http://127.0.0.1:{self.server.server_port}/files"
            files = [{"name": name, "uploadUrl": f"{host}/{name}"} for name in variables["files"]]
            return {"createRunFiles": {"runID": "b", "uploadHeaders": [], "files": files}}
        if "createArtifactManifest" in query:
            file = {"id": "f", "name": "m", "uploadUrl": f"http://127.0.0.1:{self.server.server_port}/m"}
            manifest = {"id": "m", "file": {**file, "uploadHeaders": []}}
            return {"createArtifactManifest": {"artifactManifest": manifest}}
        if "createArtifact(" in query:
            return {"createArtifact": {"artifact": ARTIFACT}}
        return {"viewer": VIEWER} if "viewer" in query else EMPTY

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
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, manner: Literal["takes", "stalls", "401", "500"]) -> None:
        super().__init__(("127.0.0.1", 0), Request)
        self.manner, self.asked, self.received = manner, 0, []
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
