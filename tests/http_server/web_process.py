"""Processes of the web port for tests, and raw sockets to talk to them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPResponse
from pathlib import Path

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parents[2]
LONGEST_WAIT_SECONDS = 60
FORM = "Content-Type: application/x-www-form-urlencoded\r\n"


@dataclass(frozen=True, slots=True)
class Port:
    """A web port that listens; `temporary` is its TMPDIR, `downloads` where its large answers rest."""

    process: subprocess.Popen[bytes]
    address: tuple[str, int]
    temporary: Path
    downloads: Path
    dialled: list[socket.socket] = field(default_factory=list)

    def dial(self, data: bytes = b"", *, small: bool = False) -> socket.socket:
        """A connection that has sent `data`; a `small` one takes little before its reader does."""
        sock = socket.socket()
        if small:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.settimeout(LONGEST_WAIT_SECONDS)
        sock.connect(self.address)
        self.dialled.append(sock)
        sock.sendall(data)
        return sock

    def get(self, path: str, headers: str = "") -> HTTPResponse:
        """The answer to a request of its own connection, read whole by the caller."""
        return answer(self.dial(request("GET", path, headers)))

    def status(self, path: str) -> int:
        return self.get(path).status

    def workers(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def open_files(self, folder: Path) -> list[str]:
        """What of this folder its workers have open, files without a name among it."""
        found = []
        for pid in self.workers():
            for link in Path(f"/proc/{pid}/fd").iterdir():
                try:
                    target = str(link.readlink())
                except FileNotFoundError:
                    continue
                if target.startswith(str(folder)) and "wgunicorn" not in target:
                    found.append(target)
        return found


@contextmanager
def serving(folder: Path, *options: str, worker: str = "Worker", descriptors: int | None = None) -> Iterator[Port]:
    """The web port with one process of two threads, on the test's database."""
    temporary, data = folder / "tmp", folder / "data"
    temporary.mkdir(parents=True)
    data.mkdir()
    database = connection.settings_dict
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        process = subprocess.Popen(
            [
                *([] if descriptors is None else ["prlimit", f"--nofile={descriptors}"]),
                *(sys.executable, "-m", "gunicorn", "--no-control-socket", "--log-level=warning"),
                *(f"--worker-class=tests.http_server.short_limits.{worker}", "--workers=1", "--threads=2"),
                *(f"--bind=fd://{listener.fileno()}", *options, "tests.http_server.pages"),
            ],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            pass_fds=[listener.fileno()],
            env={
                **os.environ,
                "TMPDIR": str(temporary),
                "POPADMIN_DATA_DIR": str(data),
                "SECRET_KEY": settings.SECRET_KEY,  # the tests' own sign-ins count there
                "LOG_LEVEL": "warning",
                "DATABASE_URL": f"postgres://{database['USER']}@/{database['NAME']}"
                f"?host={database['HOST']}&port={database['PORT']}",
            },
        )
        port = Port(process, listener.getsockname(), temporary, data / "downloads")
        try:
            yield port
        finally:
            for sock in port.dialled:
                sock.close()
            process.terminate()
            try:
                process.wait(LONGEST_WAIT_SECONDS)
            finally:
                process.kill()


def request(method: str, path: str, headers: str = "") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode()


def answer(sock: socket.socket) -> HTTPResponse:
    """The next answer on a connection, its head read. For one answer a connection."""
    response = HTTPResponse(sock)
    response.begin()
    return response


def ended(sock: socket.socket) -> bytes:
    """All that comes until the other side ends the connection, by a reset too."""
    pieces = []
    try:
        while piece := sock.recv(65536):
            pieces.append(piece)
    except ConnectionResetError:
        pass
    return b"".join(pieces)
