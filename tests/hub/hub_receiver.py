"""A carrier's own server, real and on a port: it answers what it is told to, and keeps what arrived."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError


@dataclass(frozen=True)
class Arrived:
    """One request."""

    id: str
    signature: str
    timestamp: str
    body: str

    @property
    def said(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.body)
        return answer

    def is_signed_with(self, secret: str) -> bool:
        """Whether the library that Standard Webhooks gives to receivers takes it."""
        headers = {
            "webhook-id": self.id, "webhook-timestamp": self.timestamp, "webhook-signature": self.signature,
        }  # fmt: skip
        try:
            Webhook(secret).verify(self.body, headers)
        except WebhookVerificationError:
            return False
        return True


class Receiver:
    """`answers` are used up in turn, then everything is taken: a status, or what a handler does of its own."""

    def __init__(self) -> None:
        self.arrived: list[Arrived] = []
        self.answers: list[int | Callable[[BaseHTTPRequestHandler], object]] = []
        self.headers: dict[str, str] = {}
        self.never_takes = ""
        """A parcel of which nothing is ever taken."""
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                named = (
                    self.headers["webhook-id"],
                    self.headers["webhook-signature"],
                    self.headers["webhook-timestamp"],
                )
                with receiver._lock:
                    receiver.arrived.append(Arrived(*named, body))
                    answer = receiver.answers.pop(0) if receiver.answers else 200
                if receiver.never_takes and receiver.never_takes in body:
                    answer = 422
                if callable(answer):
                    answer(self)
                    return
                self.send_response(answer)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_about: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/consigne?for=tests"
        self._thread = threading.Thread(target=self._server.serve_forever, name="receiver")
        self._thread.start()

    def kinds(self) -> list[str]:
        """Types of what arrived, in its order."""
        return [one.said["type"] for one in self.arrived]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)
