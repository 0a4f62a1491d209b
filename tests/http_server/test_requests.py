"""The web port serves requests in order, and its processes end and start cleanly."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.http_server.conftest import Hold
from tests.http_server.web_process import Port, answer, ended, request, serving


def test_one_connection_serves_request_after_request(patient: Port) -> None:
    sock = patient.dial()
    for number in range(3):
        body = b"x" * number
        sock.sendall(request("POST", "/octets/", f"Content-Length: {number}\r\n") + body)
        response = answer(sock)
        assert response.getheader("Connection") == "keep-alive"
        assert response.read() == b"%d" % number


def test_requests_that_come_at_once_are_answered_in_their_order(patient: Port) -> None:
    several = b"".join(request("POST", "/octets/", f"Content-Length: {n}\r\n") + b"x" * n for n in range(1, 40))
    heads = b"".join(request("GET", "/healthz") for _ in range(1500))  # more than a stack is deep
    came = ended(patient.dial(several + heads + request("GET", "/octets/", "Connection: close\r\n")))
    bodies = [part.rpartition(b"\r\n\r\n")[2] for part in came.split(b"HTTP/1.1 200 OK")[1:]]
    chunk = [body for body in bodies if body != b"ok\n"]
    assert len(bodies) == 39 + 1500 + 1
    assert len(chunk) == 40


def test_a_request_that_comes_octet_by_octet_is_the_same_request(patient: Port) -> None:
    sock = patient.dial()
    for octet in request("POST", "/octets/", "Content-Length: 7\r\n") + b"a=b&c=d":
        sock.sendall(bytes([octet]))
    assert answer(sock).read() == b"7"


def test_a_head_that_is_too_long_is_refused(patient: Port) -> None:
    lines = "".join(f"X-Line-{number}: {'x' * 1000}\r\n" for number in range(90))
    assert answer(patient.dial(request("GET", "/octets/", lines)[:-2])).status == 431


@pytest.mark.parametrize(("scheme", "seen"), [("https", "https"), ("http", "http")])
def test_a_proxy_on_this_machine_says_how_the_browser_came(patient: Port, scheme: str, seen: str) -> None:
    assert patient.get("/octets/", f"X-Forwarded-Proto: {scheme}\r\n").getheader("X-Scheme") == seen


def test_what_is_no_request_is_told_so(patient: Port) -> None:
    assert ended(patient.dial(b"\x16\x03\x01\x02\x00\r\n\r\n")).startswith(b"HTTP/1.1 400 ")


def test_the_end_of_the_process_waits_for_requests_that_have_begun(
    tmp_path: Path, django_db_setup: None, hold: Hold
) -> None:
    with serving(tmp_path) as port:
        held = hold.take(port)
        idle = port.dial(request("GET", "/healthz"))
        assert answer(idle).read() == b"ok\n"
        port.process.send_signal(signal.SIGTERM)
        assert ended(idle) == b""  # it was waited for no longer than a kept connection is
        hold.release()
        assert answer(held).read() == b"0"
        assert port.process.wait(60) == 0


def test_hangup_begins_a_new_process_and_lets_the_old_one_finish(
    tmp_path: Path, django_db_setup: None, hold: Hold
) -> None:
    with serving(tmp_path) as port:
        old = port.get("/process/").read()
        held = hold.take(port, "/process/")
        port.process.send_signal(signal.SIGHUP)
        while (new := port.get("/process/").read()) == old:
            pass
        hold.release()
        assert answer(held).read() == old
        assert new != old


def test_a_process_that_was_killed_is_replaced(tmp_path: Path, django_db_setup: None) -> None:
    with serving(tmp_path) as port:
        old = port.get("/process/").read()
        os.kill(int(old), signal.SIGKILL)
        assert port.get("/process/").read() != old


def test_tls_is_left_to_a_proxy(tmp_path: Path, django_db_setup: None) -> None:
    (tmp_path / "cert.pem").touch()
    with serving(tmp_path, f"--certfile={tmp_path}/cert.pem") as port:
        assert port.process.wait(60) == 1
