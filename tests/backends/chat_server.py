"""A real server on loopback that speaks the chat-completions API and misbehaves on request."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


def completion(text: str | None, **more: Any) -> dict[str, Any]:
    """A body as the API documents it."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"} | more
    return {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "tiny",
        "choices": [choice],
        "usage": USAGE,
    }


class ChatServer(ThreadingHTTPServer):
    """Plays its `script` step by step, then echoes; remembers what it was sent."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script: list[tuple[Any, ...]] = []
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.answered: list[str] = []
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is part of the play."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: ChatServer

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the name it has above)
        """Says nothing."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with self.server.lock:
            self.server.bodies.append(body)
            self.server.headers.append({name.lower(): value for name, value in self.headers.items()})
            step = self.server.script.pop(0) if self.server.script else ("echo",)
        if self.path != "/v1/chat/completions":
            step = ("status", 404)
        getattr(self, "play_" + step[0])(body, *step[1:])

    def play_echo(self, body: dict[str, Any]) -> None:
        said = body["messages"][-1]["content"]
        with self.server.lock:
            self.server.answered.append(str(said))
        self.play_body(body, completion(str(said)))

    def play_body(self, body: dict[str, Any], answer: dict[str, Any]) -> None:
        self.write(200, json.dumps(answer).encode())

    def play_text(self, body: dict[str, Any], text: bytes) -> None:
        self.write(200, text)

    def play_status(self, body: dict[str, Any], status: int, headers: Any = (), error: Any = None) -> None:
        self.write(status, json.dumps({"error": error or {"message": "no", "code": None}}).encode(), dict(headers))

    def play_cut(self, body: dict[str, Any]) -> None:
        """Promises more than it sends, and hangs up."""
        self.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{"id"')
        self.wfile.flush()
        self.close_connection = True

    def play_hang_up(self, body: dict[str, Any]) -> None:
        self.close_connection = True

    def play_sleep(self, body: dict[str, Any], seconds: float) -> None:
        time.sleep(seconds)
        self.close_connection = True

    def write(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json"} | (headers or {})).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def serving() -> Iterator[ChatServer]:
    """A server for the length of a test."""
    server = ChatServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
