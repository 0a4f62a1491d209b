"""The limits of uploads: large for signed-in users, small for others; no upload is written to a file."""

from __future__ import annotations

import pytest
from django.contrib.sessions.backends.base import SessionBase

from tests.http_server.web_process import FORM, Port, answer, ended, request
from tests.site.page_users import ANN, an_owner, signed_in

MIB = 1024 * 1024
MULTIPART = "Content-Type: multipart/form-data; boundary=B\r\n"
PART = (
    b'--B\r\nContent-Disposition: form-data; name="file"; filename="x.csv"\r\nContent-Type: text/csv\r\n\r\n'
    b"%b\r\n--B--\r\n"
)


def post(octets: int, headers: str = "", path: str = "/octets/") -> bytes:
    return request("POST", path, f"{FORM}Content-Length: {octets}\r\n{headers}")


@pytest.fixture
def cookie(transactional_db: None) -> str:
    """Of an owner who is signed in."""
    an_owner()
    session = signed_in(ANN).session
    assert isinstance(session, SessionBase)
    return f"Cookie: sessionid={session.session_key}\r\n"


def test_a_body_that_says_it_is_too_large_is_refused_before_any_of_it(patient: Port) -> None:
    response = answer(patient.dial(post(300 * MIB, path="/sign-in/")))
    assert (response.status, response.getheader("Connection")) == (413, "close")
    assert "script-src 'self'" in (response.getheader("Content-Security-Policy") or "")
    assert b"This is too large" in response.read()


def test_the_refusal_is_in_the_language_of_the_browser(patient: Port) -> None:
    page = answer(patient.dial(post(300 * MIB, "Accept-Language: fr\r\n"))).read()
    assert b'<html lang="fr"' in page


def test_whoever_waits_for_a_word_before_the_body_is_refused_and_not_told_to_go_on(patient: Port) -> None:
    assert ended(patient.dial(post(300 * MIB, "Expect: 100-continue\r\n"))).startswith(b"HTTP/1.1 413 ")


def test_whoever_waits_for_a_word_before_a_small_body_gets_it_once(patient: Port) -> None:
    sock = patient.dial(post(5, "Expect: 100-continue\r\n"))
    assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    sock.sendall(b"a=bcd")
    assert answer(sock).read() == b"5"


def test_a_chunked_body_is_refused_as_soon_as_it_is_too_large(patient: Port) -> None:
    sock = patient.dial(request("POST", "/octets/", "Transfer-Encoding: chunked\r\n"))
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    for _ in range(20):
        sock.sendall(chunk)
    assert answer(sock).status == 413  # though the last chunk never came


def test_chunks_that_are_mostly_framing_count_for_the_work_they_are(patient: Port) -> None:
    sock = patient.dial(request("POST", "/octets/", "Transfer-Encoding: chunked\r\n"))
    sock.sendall(b"1\r\nx\r\n" * 5000)  # 30 KB, and work for a parser
    assert answer(sock).status == 413


def test_a_small_chunked_body_is_read_whole(patient: Port) -> None:
    sock = patient.dial(request("POST", "/octets/", "Transfer-Encoding: chunked\r\n"))
    sock.sendall(b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n")
    assert answer(sock).read() == b"5"


def test_a_browser_that_sends_on_sees_the_refusal_and_no_reset(patient: Port) -> None:
    sock = patient.dial(post(8 * MIB))
    sock.sendall(b"x" * (8 * MIB))  # a browser reads nothing before it has sent all
    assert b"This is too large" in answer(sock).read()


@pytest.mark.parametrize("cookie_header", ["", "Cookie: sessionid=0123456789abcdef0123456789abcdef\r\n"])
@pytest.mark.django_db(transaction=True)
def test_a_visitor_sends_no_more_than_a_form_whatever_session_they_claim(patient: Port, cookie_header: str) -> None:
    assert answer(patient.dial(post(2 * MIB, cookie_header))).status == 413


def test_a_signed_in_user_sends_a_file_and_is_told_to_go_on(patient: Port, cookie: str) -> None:
    sock = patient.dial(post(20 * MIB, f"{cookie}Expect: 100-continue\r\n"))
    assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    sock.sendall(b"x" * (20 * MIB))
    assert answer(sock).read() == str(20 * MIB).encode()


def test_a_signed_in_user_sends_a_file_in_chunks(patient: Port, cookie: str) -> None:
    sock = patient.dial(request("POST", "/octets/", f"{cookie}Transfer-Encoding: chunked\r\n"))
    sock.sendall((b"100000\r\n" + b"x" * MIB + b"\r\n") * 3 + b"0\r\n\r\n")
    assert answer(sock).read() == str(3 * MIB).encode()


def test_a_signed_in_user_sends_no_more_than_the_limit(patient: Port, cookie: str) -> None:
    assert answer(patient.dial(post(26 * MIB, cookie))).status == 413


def test_an_upload_is_in_no_file(patient: Port, cookie: str) -> None:
    token = "a" * 32
    body = PART % (b"x" * (20 * MIB))
    head = f"{MULTIPART}{cookie[:-2]}; csrftoken={token}\r\nX-CSRFToken: {token}\r\nContent-Length: {len(body)}\r\n"
    sock = patient.dial(request("POST", "/sign-in/", head) + body[:-1])
    assert not patient.open_files(patient.temporary)
    sock.sendall(body[-1:])
    assert answer(sock).status in {200, 302}  # the page read the form, and gave it back or led on
    assert not patient.open_files(patient.temporary)
    assert not list(patient.temporary.iterdir())


def test_visitors_who_send_much_at_once_are_bounded_together_and_forms_are_not_among_them(port: Port) -> None:
    held = [port.dial(post(MIB) + b"x") for _ in range(2)]
    for sock in held:
        sock.setblocking(False)
    assert port.status("/healthz") == 200  # so the poller has seen both
    response = answer(port.dial(post(MIB)))
    assert (response.status, response.getheader("Retry-After")) == (503, "30")
    assert answer(port.dial(post(5) + b"a=bcd")).read() == b"5"
    for sock in held:
        sock.close()
    assert port.status("/healthz") == 200
    assert answer(port.dial(post(MIB) + b"x" * MIB)).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        "Content-Length: -1\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: 5_0\r\n",
        "Content-Length: five\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: gzip\r\n",
    ],
)
def test_a_length_that_cannot_be_trusted_is_a_bad_request(patient: Port, headers: str) -> None:
    response = answer(patient.dial(request("POST", "/octets/", headers)))
    assert (response.status, response.getheader("Connection")) == (400, "close")


def test_a_length_of_thousands_of_digits_ends_the_connection_and_nothing_else(patient: Port) -> None:
    before = patient.workers()
    ended(patient.dial(request("POST", "/octets/", f"Content-Length: {'9' * 5000}\r\n")))
    assert patient.status("/healthz") == 200
    assert patient.workers() == before
