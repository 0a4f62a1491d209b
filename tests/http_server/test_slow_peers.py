"""Slow peers hold no thread of the web port, and have deadlines."""

from __future__ import annotations

import hashlib
import select
import time
from http.client import IncompleteRead
from pathlib import Path

import pytest

from tests.http_server.conftest import Hold
from tests.http_server.pages import PIECE
from tests.http_server.web_process import FORM, LONGEST_WAIT_SECONDS, Port, answer, ended, request, serving

MANY = 12  # several times the threads of the web port
LARGE = 320  # pieces of 64 KB, 20 MB: more than the buffers of both systems hold

HALF_HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
HALF_BODY = request("POST", "/octets/", f"{FORM}Content-Length: 1000\r\n") + b"username="
HALF_CHUNK = request("POST", "/octets/", f"{FORM}Transfer-Encoding: chunked\r\n") + b"ff\r\nuser"


@pytest.mark.parametrize("half", [b"", HALF_HEAD, HALF_BODY, HALF_CHUNK])
@pytest.mark.django_db(transaction=True)
def test_half_requests_keep_nobody_else_waiting(patient: Port, half: bytes) -> None:
    held = [patient.dial(half) for _ in range(MANY)]
    assert [patient.status(path) for path in ("/healthz", "/sign-in/", "/readyz")] == [200, 200, 503]
    for sock in held:  # each of them still waits
        sock.setblocking(False)
        with pytest.raises(BlockingIOError):
            sock.recv(1)
        sock.close()


@pytest.mark.django_db(transaction=True)
def test_downloads_that_nobody_reads_keep_nobody_else_waiting(patient: Port) -> None:
    held = [patient.dial(request("GET", f"/large/?pieces={LARGE}"), small=True) for _ in range(4)]
    for sock in held:
        assert sock.recv(15) == b"HTTP/1.1 200 OK"
    assert [patient.status(path) for path in ("/healthz", "/sign-in/")] == [200, 200]
    for sock in held:
        sock.close()


def test_a_large_answer_comes_whole_to_whoever_reads_it(patient: Port) -> None:
    response = patient.get(f"/large/?pieces={LARGE}")
    digest, octets = hashlib.sha256(), 0
    while piece := response.read(65536):
        digest.update(piece)
        octets += len(piece)
    assert octets == LARGE * len(PIECE)
    assert digest.digest() == hashlib.sha256(PIECE * LARGE).digest()


@pytest.mark.parametrize("half", [HALF_HEAD, HALF_BODY, HALF_CHUNK])
def test_half_a_request_is_answered_with_408_and_closed(port: Port, half: bytes) -> None:
    response = answer(port.dial(half))
    assert (response.status, response.getheader("Connection")) == (408, "close")
    assert b"did not arrive in time" in response.read()


def test_a_connection_that_says_nothing_is_closed_without_a_word(port: Port) -> None:
    assert ended(port.dial()) == b""


def test_a_body_that_comes_octet_by_octet_has_no_more_time_than_one_that_stops(port: Port) -> None:
    sock = port.dial(request("POST", "/octets/", f"{FORM}Content-Length: 60000\r\n"))
    sock.settimeout(0.05)
    came = b""
    while not came:
        try:
            sock.sendall(b"x")
            came = sock.recv(64)
        except TimeoutError:
            continue
    assert came.startswith(b"HTTP/1.1 408 ")


def test_an_answer_that_nobody_reads_is_cut(port: Port) -> None:
    sock = port.dial(request("GET", f"/large/?pieces={LARGE}"), small=True)
    sock.recv(1)
    while port.open_files(port.downloads):  # until it is given up
        assert port.status("/healthz") == 200
    assert len(ended(sock)) < LARGE * len(PIECE)


def test_a_large_answer_rests_in_a_file_on_the_disk_of_the_mail_while_it_is_read(patient: Port) -> None:
    sock = patient.dial(request("GET", f"/large/?pieces={LARGE}"), small=True)
    sock.recv(1)
    assert len(patient.open_files(patient.downloads)) == 1
    assert not list(patient.downloads.iterdir())  # it has no name, so it cannot be left behind
    assert not patient.open_files(patient.temporary)
    sock.close()
    while patient.open_files(patient.downloads):
        assert patient.status("/healthz") == 200


def test_the_memory_for_answers_that_nobody_reads_is_bounded_and_the_oldest_is_cut(
    tmp_path: Path, django_db_setup: None
) -> None:
    with serving(tmp_path, worker="Tight") as port:
        path = "/large/?pieces=15"  # a little less than goes to a file
        held = [port.dial(request("GET", path), small=True) for _ in range(8)]
        for sock in held:
            assert sock.recv(15) == b"HTTP/1.1 200 OK"
        cut = select.poll()
        cut.register(held[0], 0)  # for its end alone
        assert cut.poll(LONGEST_WAIT_SECONDS * 1000)
        assert len(ended(held[0])) < 15 * len(PIECE)
        assert len(port.get(path).read()) == 15 * len(PIECE)


def test_a_download_for_which_the_disk_has_no_room_is_refused_in_words(tmp_path: Path, django_db_setup: None) -> None:
    with serving(tmp_path, worker="Tight") as port:
        assert port.status(f"/large/?pieces={LARGE}") == 503


def test_one_download_too_many_is_refused_in_words_until_another_ends(port: Port) -> None:
    path = f"/large/?pieces={LARGE}"
    held = [port.dial(request("GET", path), small=True) for _ in range(3)]
    for sock in held:
        assert sock.recv(15) == b"HTTP/1.1 200 OK"
    refused = port.get(path)
    assert (refused.status, refused.getheader("Retry-After")) == (503, "30")
    assert b"Too many downloads" in refused.read()
    for sock in held:
        sock.close()
    while port.open_files(port.downloads):
        assert port.status("/healthz") == 200
    assert port.status(path) == 200


def test_an_answer_that_breaks_off_is_never_taken_for_a_whole_one(port: Port, hold: Hold) -> None:
    begun = answer(hold.take(port, f"/large/?pieces={LARGE}&{hold.query.replace('hold', 'then')}"))
    assert begun.status == 200  # sent while the page is still at work
    hold.release()
    with pytest.raises((ConnectionResetError, IncompleteRead)):
        begun.read()


def test_an_answer_of_which_nothing_was_sent_becomes_an_error(port: Port, hold: Hold) -> None:
    sock = hold.take(port, f"/large/?pieces=2&{hold.query.replace('hold', 'then')}")
    hold.release()
    assert answer(sock).status == 500


@pytest.mark.django_db(transaction=True)
def test_health_is_answered_while_every_thread_is_busy(patient: Port, hold: Hold) -> None:
    held = [hold.take(patient) for _ in range(2)]
    assert patient.get("/healthz").read() == b"ok\n"
    assert patient.status("/readyz") == 503  # the tests have no mail store; it is an answer
    hold.release()
    assert [answer(sock).status for sock in held] == [200, 200]


def test_readiness_that_hangs_is_no_readiness_and_health_is_apart_from_it(port: Port, hold: Hold) -> None:
    hold.take(port, "/readyz")
    assert port.status("/readyz") == 503
    assert port.status("/healthz") == 200
    assert port.status("/octets/") == 200


def test_readiness_knows_when_it_was_asked_though_it_is_answered_later(patient: Port, hold: Hold) -> None:
    began = time.monotonic()
    hold.take(patient, "/readyz")
    late = patient.dial(request("GET", "/readyz?came"))
    assert patient.status("/healthz") == 200  # behind it: it has come
    released = time.monotonic()
    hold.release()
    assert began < float(answer(late).read()) < released
    assert patient.get("/?came").read() == b"None"


@pytest.mark.django_db(transaction=True)
def test_a_page_that_bears_the_path_of_health_runs_in_a_thread(patient: Port, hold: Hold) -> None:
    held = [hold.take(patient) for _ in range(2)]
    page = patient.dial(request("GET", "/healthz", "SCRIPT_NAME: /healthz\r\n"))
    assert patient.status("/healthz") == 200
    page.setblocking(False)
    with pytest.raises(BlockingIOError):
        page.recv(1)
    page.settimeout(LONGEST_WAIT_SECONDS)
    hold.release()
    assert [answer(sock).status for sock in (*held, page)] == [200, 200, 302]


def test_a_request_for_which_no_thread_is_free_in_time_is_told_to_try_again(port: Port, hold: Hold) -> None:
    held = [hold.take(port) for _ in range(2)]
    late = port.get("/octets/")
    assert (late.status, late.getheader("Retry-After")) == (503, "30")
    hold.release()
    assert [answer(sock).status for sock in held] == [200, 200]


def test_more_connections_than_a_process_holds_let_a_newcomer_in(
    tmp_path_factory: pytest.TempPathFactory, django_db_setup: None
) -> None:
    with serving(tmp_path_factory.mktemp("web"), "--worker-connections=20", worker="Patient") as port:
        idle = [port.dial(HALF_HEAD) for _ in range(100)]
        assert port.status("/healthz") == 200
        assert ended(idle[0]) == b""  # the one that has waited longest gave way
        assert port.status("/healthz") == 200


def test_one_connection_too_many_of_an_address_is_refused_in_words_until_another_ends(
    tmp_path: Path, django_db_setup: None
) -> None:
    with serving(tmp_path, worker="Crowded") as port:
        held = [port.dial(HALF_HEAD) for _ in range(3)]
        refused = answer(port.dial())
        assert (refused.status, refused.getheader("Retry-After")) == (429, "30")
        assert b"too many connections from your address" in refused.read()
        held[0].sendall(b"Connection: close\r\n\r\n")
        ended(held[0])
        held[0].close()
        while port.status("/healthz") != 200:  # until the end was seen
            pass


def test_a_process_takes_no_more_connections_than_it_has_descriptors_for(
    tmp_path_factory: pytest.TempPathFactory, django_db_setup: None
) -> None:
    with serving(tmp_path_factory.mktemp("web"), worker="Patient", descriptors=300) as port:
        idle = [port.dial(HALF_HEAD) for _ in range(400)]
        assert port.status("/healthz") == 200
        assert port.status("/sign-in/") == 200
        assert ended(idle[0]) == b""
