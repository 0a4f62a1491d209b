"""The web server as `up` runs it, and a simple browser: one connection, cookies, sign-in."""

from __future__ import annotations

import http.client
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

from bench.client import Address, WrongAnswer
from bench.load_processes import ROOT
from bench.side import START_SECONDS, free_address
from bench.site import Site

FORM = "application/x-www-form-urlencoded"
KEEP_ALIVE_SECONDS = 1.0  # gunicorn ends a silent connection after two
BOUNDARY = "a-line-that-is-in-no-file"
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    location: str
    text: str
    seconds: float


@contextmanager
def web_server(site: Site) -> Iterator[Address]:
    """Run the web server of `up` on this site. Django must be set up."""
    from popadmin.up.services import gunicorn

    address = free_address()
    command = gunicorn([f"{address.host}:{address.port}"])
    process = site.meter.start(list(command), cwd=ROOT, env=site.environment)
    try:
        _wait(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def _wait(address: Address, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            Browser(address).get("/healthz")
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise WrongAnswer("the pages did not start")


class Browser:
    """`get` and `post` return the answer and follow no redirect; times are from the request to the last octet."""

    def __init__(self, address: Address) -> None:
        self._connection = http.client.HTTPConnection(address.host, address.port, timeout=600)
        self._cookies: dict[str, str] = {}
        self._token = ""
        self._last = 0.0

    def sign_in(self, login: str, password: str) -> Browser:
        self.get("/sign-in/")
        answer = self.post("/sign-in/", {"username": login, "password": password})
        if answer.status != 302:
            raise WrongAnswer(f"{login} is not signed in: {answer.status}")
        return self

    def get(self, path: str) -> Answer:
        return self._ask("GET", path, None, {})

    def post(self, path: str, fields: dict[str, str], *, accept: str = "text/html") -> Answer:
        body = urlencode(fields | {"csrfmiddlewaretoken": self._token}).encode()
        return self._ask("POST", path, body, {"Content-Type": FORM, "Accept": accept})

    def send_file(self, path: str, name: str, data: bytes) -> Answer:
        parts = {
            'name="csrfmiddlewaretoken"': self._token.encode(),
            f'name="{name}"; filename="{name}.csv"\r\nContent-Type: text/csv': data,
        }
        lines = [b"--%b\r\nContent-Disposition: form-data; %b\r\n\r\n%b\r\n" % (BOUNDARY.encode(), head.encode(), body)
                 for head, body in parts.items()]  # fmt: skip
        body = b"".join(lines) + f"--{BOUNDARY}--\r\n".encode()
        return self._ask("POST", path, body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"})

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        if time.perf_counter() - self._last > KEEP_ALIVE_SECONDS:
            self._connection.close()  # the next request opens it anew
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        began = time.perf_counter()
        self._connection.request(method, path, body, {"Cookie": cookies, **headers})
        came = self._connection.getresponse()
        text = came.read().decode()
        self._last = time.perf_counter()
        seconds = self._last - began
        for header in came.headers.get_all("Set-Cookie", []):
            name, _, value = header.partition(";")[0].partition("=")
            self._cookies[name] = value
        if found := _TOKEN.search(text):
            self._token = found[1]
        return Answer(came.status, came.headers.get("Location", ""), text, seconds)
