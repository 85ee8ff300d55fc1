"""The APIs of GitLab and Azure DevOps for comments, as far as the workflow files of docs/gitops use them.

Sources: GitLab, "Notes API"; Azure DevOps Services REST API, "Pull Request Threads" and "Pull Request Thread Comments".
"""

from __future__ import annotations

import json
import re
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

NOTES = re.compile(r"/api/v4/projects/42/merge_requests/7/notes(?:/(\d+))?")
THREADS = re.compile(r"/mail/_apis/git/repositories/42/pullRequests/7/threads(?:/(\d+)/comments/(\d+))?")
_LONGEST_NOTE = 1_000_000  # characters


class CommentService:
    """Listens on loopback while it is entered. `notes`: of a merge request; `threads`: of a pull request."""

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(16)
        self.notes: list[dict[str, Any]] = []
        self.threads: list[dict[str, Any]] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                status, content = service.handle(self.command, self.path, self.headers, self.rfile.read(length).decode())
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(content).encode())

            do_GET = do_POST = do_PUT = do_PATCH = answer  # noqa: N815 - names of the standard library

            def log_message(self, *_arguments: object) -> None:
                """Nothing is logged."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> CommentService:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def handle(self, method: str, target: str, headers: Any, body: str) -> tuple[int, object]:
        path, _, query = target.partition("?")
        if match := NOTES.fullmatch(path):
            if headers.get("PRIVATE-TOKEN") != self.token:
                return 401, {"message": "401 Unauthorized"}
            return self._note(method, match[1], parse_qs(body))
        if match := THREADS.fullmatch(path):
            if headers.get("Authorization") != f"Bearer {self.token}" or query != "api-version=7.1":
                return 401, {}
            return self._comment(method, match[1], match[2], json.loads(body) if body else {})
        return 404, {}

    def _note(self, method: str, number: str | None, form: dict[str, list[str]]) -> tuple[int, object]:
        if method == "GET" and not number:
            return 200, self.notes
        [text] = form["body"]
        if len(text) > _LONGEST_NOTE:
            return 400, {}
        if method == "POST" and not number:
            self.notes.append({"id": len(self.notes) + 1, "body": text})
            return 201, self.notes[-1]
        if method == "PUT" and number:
            self.notes[int(number) - 1]["body"] = text
            return 200, {}
        return 405, {}

    def _comment(self, method: str, thread: str | None, comment: str | None, body: dict[str, Any]) -> tuple[int, object]:
        if method == "GET" and not thread:
            return 200, {"value": self.threads, "count": len(self.threads)}
        if method == "POST" and not thread:
            comments = [{"id": number, **one} for number, one in enumerate(body["comments"], 1)]
            self.threads.append({"id": len(self.threads) + 1, "comments": comments})
            return 200, self.threads[-1]
        if method == "PATCH" and thread and comment:
            self.threads[int(thread) - 1]["comments"][int(comment) - 1]["content"] = body["content"]
            return 200, {}
        return 405, {}
