"""The real pages, with more pages for tests: one that waits for the test, and one of any size."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import parse_qs

from popadmin.http_server.arrival import arrived_at
from popadmin.wsgi import application as popadmin

PIECE = bytes(range(256)) * 256  # 64 KB


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    query = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
    if hold := query.get("hold"):
        _wait_for_the_test(hold)
    if environ["PATH_INFO"] == "/large/":
        start_response("200 OK", [("Content-Type", "application/octet-stream")])
        return _pieces(int(query["pieces"]), hold=query.get("then"))
    if environ["PATH_INFO"] == "/octets/":
        count = len(environ["wsgi.input"].read())
        start_response("200 OK", [("X-Scheme", environ["wsgi.url_scheme"])])
        return [b"%d" % count]
    if environ["QUERY_STRING"] == "came":
        start_response("200 OK", [])
        return [repr(arrived_at.get()).encode()]
    if environ["PATH_INFO"] == "/process/":
        start_response("200 OK", [])
        return [b"%d" % os.getpid()]
    return popadmin(environ, start_response)


def _pieces(count: int, *, hold: str | None) -> Iterator[bytes]:
    yield from (PIECE for _ in range(count))
    if hold:
        _wait_for_the_test(hold)
        raise RuntimeError("a bug in the middle of an answer")


def _wait_for_the_test(port: str) -> None:
    with socket.create_connection(("127.0.0.1", int(port))) as test:
        test.recv(1)
