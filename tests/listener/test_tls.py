"""TLS on the wire: implicit and by STLS, with OpenSSL's own client and with Python's."""

from __future__ import annotations

import os
import re
import signal
import socket
import ssl
import struct
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import trustme
from cryptography import x509

from mailstore.pop3 import replies
from tests.installed_program import program
from tests.listener.tls_records import (
    ALERT_RECORD,
    ECDHE_CBC,
    HANDSHAKE_FAILURE,
    HANDSHAKE_RECORD,
    PROTOCOL_VERSION,
    RSA_CBC,
    TLS_1_0,
    TLS_1_1,
    TLS_1_2,
    fatal_alert,
    old_hello,
)
from tests.listeners import PASSWORD, Authority, Daemon, MailSite, daemon, greeted, numbered
from tests.pop3_client import LONGEST_WAIT_SECONDS, Pop3Client, connect_to

pytestmark = pytest.mark.django_db(transaction=True)
ADDRESS = "ann@example.org"


def s_client(port: int, *options: str, said: bytes = b"QUIT\r\n") -> subprocess.CompletedProcess[bytes]:
    """OpenSSL's client: its own view of the handshake, then what the server said to `said`."""
    return subprocess.run(
        [program("openssl"), "s_client", "-connect", f"127.0.0.1:{port}", "-ign_eof", *options],
        input=said,
        capture_output=True,
        timeout=30,
        check=False,
    )


def hello() -> bytes:
    """A whole ClientHello, as OpenSSL makes it."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context()
    channel = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        channel.do_handshake()
    return outgoing.read()


# --- implicit TLS -------------------------------------------------------------------------------------------------


@pytest.mark.real
@pytest.mark.req("P-123")
def test_the_greeting_comes_inside_tls(mail_site: MailSite) -> None:
    answer = s_client(mail_site.pop3d.tls_port, "-quiet")
    assert answer.stdout.startswith(b"+OK")
    assert answer.stdout.endswith(b"+OK goodbye\r\n")


@pytest.mark.req("P-123")
def test_a_client_certificate_signs_nobody_in(mail_site: MailSite) -> None:
    context = mail_site.authority.context()
    mail_site.authority.ca.issue_cert("ann@example.org").configure_cert(context)
    sock = socket.create_connection(mail_site.pop3d.tls_address, 30)
    with greeted(Pop3Client(context.wrap_socket(sock, server_hostname="localhost"))) as client:
        assert client.ask("STAT") == b"-ERR sign in first"


@pytest.mark.req("P-124")
@pytest.mark.req("P-104")
def test_stls_is_neither_listed_nor_taken_where_tls_is_active_or_somebody_signed_in(mail_site: MailSite) -> None:
    mail_site.mailbox()
    with mail_site.dial_tls() as client:
        assert b"STLS" not in client.rows("CAPA")
        assert client.ask("STLS").startswith(b"-ERR")
    with mail_site.dial() as client:
        assert b"STLS" in client.rows("CAPA")
        client.start_tls(mail_site.authority.context())
        assert b"STLS" not in client.rows("CAPA")
        assert client.ask("STLS").startswith(b"-ERR")
        assert client.ask("NOOP").startswith(b"-ERR")  # the connection goes on
    with mail_site.session() as client:
        assert b"STLS" not in client.rows("CAPA")
        assert client.ask("STLS").startswith(b"-ERR")


# --- STLS ---------------------------------------------------------------------------------------------------------


@pytest.mark.req("P-125")
@pytest.mark.req("P-126")
def test_stls_is_answered_and_then_the_server_hello_comes_with_nothing_between(mail_site: MailSite) -> None:
    with mail_site.dial() as client:
        assert client.ask("STLS").startswith(b"+OK")
        client.send(hello())
        assert client.exactly(1)[0] == HANDSHAKE_RECORD


@pytest.mark.req("P-127")
@pytest.mark.parametrize(
    "behind", [b"CAPA\r\n", b"USER evil", b"\x16\x03\x01", b"\r\n"], ids=["line", "part", "half a hello", "empty line"]
)
def test_octets_in_the_same_segment_behind_stls_end_the_connection(mail_site: MailSite, behind: bytes) -> None:
    with mail_site.dial() as client:
        client.send(b"STLS\r\n" + behind)
        assert client.rest() == b""


@pytest.mark.req("P-127")
@pytest.mark.req("P-129")
def test_a_command_in_clear_between_the_reply_and_the_handshake_is_never_answered(mail_site: MailSite) -> None:
    with mail_site.dial() as client:
        assert client.ask("STLS").startswith(b"+OK")
        client.send(b"NOOP\r\n")
        answer = client.rest()
        assert b"+OK" not in answer
        assert b"-ERR" not in answer


@pytest.mark.req("P-127")
def test_a_line_sent_right_behind_stls_is_not_answered_after_the_handshake(mail_site: MailSite) -> None:
    """The second send may reach the server before or after its reply; neither may count."""
    with mail_site.dial() as client:
        client.send(b"STLS\r\n")
        client.send(b"CAPA\r\n")
        reply = client.line()
        if reply.startswith(b"+OK"):
            with pytest.raises((ssl.SSLError, OSError)):
                mail_site.authority.context().wrap_socket(client.sock, server_hostname="localhost")
        else:
            assert reply == b""


@pytest.mark.req("P-128")
def test_a_user_name_given_in_clear_is_forgotten_by_stls(mail_site: MailSite) -> None:
    mail_site.mailbox()
    with mail_site.dial() as client:
        assert client.ask(f"USER {ADDRESS}").startswith(b"+OK")
        client.start_tls(mail_site.authority.context())
        assert client.ask(f"PASS {PASSWORD}") == replies.USER_FIRST.strip()
        client.sign_in(ADDRESS, PASSWORD)


@pytest.mark.req("P-129")
def test_a_failed_handshake_ends_the_connection_without_a_word_in_clear(mail_site: MailSite) -> None:
    with mail_site.dial() as client:
        assert client.ask("STLS").startswith(b"+OK")
        client.send(b"this is no ClientHello at all, and long enough to be one\r\n")
        answer = client.rest()
        assert answer == b"" or answer[0] == ALERT_RECORD


# --- versions, ciphers, certificates ------------------------------------------------------------------------------


@pytest.mark.real
@pytest.mark.req("P-131")
@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
@pytest.mark.parametrize("start", [(), ("-starttls", "pop3")], ids=["implicit", "STLS"])
def test_old_versions_of_tls_are_refused(mail_site: MailSite, version: str, start: tuple[str, ...]) -> None:
    port = mail_site.pop3d.port if start else mail_site.pop3d.tls_port
    answer = s_client(port, version, "-cipher", "DEFAULT@SECLEVEL=0", *start)
    assert answer.returncode != 0
    assert b"Cipher is (NONE)" in answer.stdout
    assert b"goodbye" not in answer.stdout


@pytest.mark.req("P-129")
@pytest.mark.req("P-131")
@pytest.mark.parametrize(
    ("version", "ciphers", "alert", "reason"),
    [
        (TLS_1_0, (ECDHE_CBC,), PROTOCOL_VERSION, "TLS too old: TLS 1.0"),
        (TLS_1_1, (ECDHE_CBC,), PROTOCOL_VERSION, "TLS too old: TLS 1.1"),
        (TLS_1_2, (RSA_CBC,), HANDSHAKE_FAILURE, "no common cipher: TLS 1.2"),
    ],
)
@pytest.mark.parametrize("implicit", [True, False], ids=["implicit", "STLS"])
def test_a_handshake_that_fails_sends_its_alert_and_the_log_says_why(
    mail_site: MailSite, implicit: bool, version: int, ciphers: tuple[int, ...], alert: int, reason: str
) -> None:
    """RFC 8446 §6.2: a fatal alert in a record of its own, level 2, and then the end."""
    before = len(mail_site.pop3d.log())
    with connect_to(mail_site.pop3d.tls_address) if implicit else mail_site.dial() as client:
        if not implicit:
            assert client.ask("STLS").startswith(b"+OK")
        client.send(old_hello(version, ciphers))
        said = client.rest()
    assert said == fatal_alert(version, alert)
    mail_site.pop3d.logged(f'session client=127.0.0.1 .*reason="{reason}, from 127.0.0.1"', after=before)


@pytest.mark.req("P-129")
def test_every_one_of_many_handshakes_that_fail_at_once_sends_its_alert(mail_site: MailSite) -> None:
    clients = [connect_to(mail_site.pop3d.tls_address) for _ in range(60)]
    for client in clients:
        client.send(old_hello(TLS_1_1, (ECDHE_CBC,)))
    said = [client.rest() for client in clients]
    assert {data[-1:] for data in said} == {bytes([PROTOCOL_VERSION])}


@pytest.mark.req("P-129")
@pytest.mark.parametrize("implicit", [True, False], ids=["implicit", "STLS"])
def test_the_alert_of_a_client_that_refuses_the_certificate_is_logged(mail_site: MailSite, implicit: bool) -> None:
    before = len(mail_site.pop3d.log())
    suspicious = ssl.create_default_context(cafile=None)
    suspicious.maximum_version = ssl.TLSVersion.TLSv1_2  # in 1.3 the server has its handshake behind it by then
    with connect_to(mail_site.pop3d.tls_address) if implicit else mail_site.dial() as client:
        if not implicit:
            assert client.ask("STLS").startswith(b"+OK")
        with pytest.raises(ssl.SSLCertVerificationError):
            suspicious.wrap_socket(client.sock, server_hostname="localhost")
    mail_site.pop3d.logged('reason="TLS handshake: tlsv1 alert unknown ca"', after=before)


@pytest.mark.real
@pytest.mark.req("P-131")
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_versions_in_use_are_taken_with_forward_secrecy_and_without_compression(
    mail_site: MailSite, version: str
) -> None:
    answer = s_client(mail_site.pop3d.tls_port, version)
    output = answer.stdout.decode(errors="replace")
    assert re.search(r"Cipher is (ECDHE|TLS_)", output)
    assert "Compression: NONE" in output
    assert "+OK goodbye" in output


@pytest.mark.real
@pytest.mark.req("P-132")
def test_a_cipher_without_forward_secrecy_is_refused(mail_site: MailSite) -> None:
    answer = s_client(mail_site.pop3d.tls_port, "-tls1_2", "-cipher", "AES128-GCM-SHA256:AES256-SHA")
    assert b"Cipher is (NONE)" in answer.stdout
    assert b"goodbye" not in answer.stdout


@pytest.mark.real
@pytest.mark.req("P-132")
def test_a_renegotiation_is_refused(mail_site: MailSite) -> None:
    asking = [program("openssl"), "s_client", "-connect", f"127.0.0.1:{mail_site.pop3d.tls_port}", "-tls1_2"]
    with subprocess.Popen(asking, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as client:
        assert client.stdin is not None
        assert client.stderr is not None
        client.stdin.write(b"R\n")  # s_client's own command; its input stays open, so that it is the server that ends
        client.stdin.flush()
        assert b"no renegotiation" in client.stderr.read()


@pytest.mark.real
@pytest.mark.req("P-132")
def test_a_session_resumes_on_any_worker_and_takes_no_early_data(mail_site: MailSite, tmp_path: Path) -> None:
    ticket = tmp_path / "ticket"
    first = s_client(mail_site.pop3d.tls_port, "-tls1_3", "-sess_out", str(ticket))
    assert b"Max Early Data: 0" in first.stdout
    for _ in range(6):  # the kernel spreads these over both workers
        again = s_client(mail_site.pop3d.tls_port, "-tls1_3", "-sess_in", str(ticket))
        assert b"Reused, TLSv1.3" in again.stdout


@pytest.mark.real
@pytest.mark.req("P-133")
def test_the_intermediate_certificate_is_sent(mail_site: MailSite) -> None:
    answer = s_client(
        mail_site.pop3d.tls_port, "-showcerts", "-CAfile", str(mail_site.authority.ca_file), "-verify_return_error"
    )
    assert answer.stdout.count(b"BEGIN CERTIFICATE") == 2
    assert b"Verify return code: 0 (ok)" in answer.stdout


@pytest.mark.req("P-133")
def test_a_server_name_chooses_its_certificate_and_others_get_the_default(
    mail_site: MailSite, authority: Authority, tls_settings: dict[str, str], tmp_path: Path
) -> None:
    named_pair(authority.ca, tmp_path, "mail.customer.example")
    with daemon("pop3d", TLS_SNI_DIR=str(tmp_path), **tls_settings) as started:
        assert names(authority, started.tls_port, "mail.customer.example") == {"mail.customer.example"}
        assert names(authority, started.tls_port, "MAIL.Customer.Example") == {"mail.customer.example"}
        assert "localhost" in names(authority, started.tls_port, "localhost")
        assert "localhost" in names(authority, started.tls_port, "nobody.example")
        assert "localhost" in names(authority, started.tls_port, None)
        with greeted(connect_to(started.address)) as client:
            client.start_tls(authority.context(), "mail.customer.example")
            assert client.ask("CAPA").startswith(b"+OK")


@pytest.mark.req("P-134")
@pytest.mark.parametrize(
    ("offered", "chosen"), [(["pop3"], "pop3"), (["http/1.1", "pop3"], "pop3"), (["http/1.1"], None), ([], None)]
)
def test_pop3_is_chosen_where_the_client_offers_it(mail_site: MailSite, offered: list[str], chosen: str | None) -> None:
    context = mail_site.authority.context()
    if offered:
        context.set_alpn_protocols(offered)
    sock = socket.create_connection(mail_site.pop3d.tls_address, 30)
    with context.wrap_socket(sock, server_hostname="localhost") as channel:
        assert channel.selected_alpn_protocol() == chosen


@pytest.mark.req("P-135")
def test_a_new_certificate_is_taken_on_sighup_and_sessions_go_on(
    mail_site: MailSite, authority: Authority, tmp_path: Path
) -> None:
    mail_site.mailbox()
    mail_site.fill(ADDRESS, *numbered(2))
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    write_pair(authority.ca, cert, key)
    with daemon("pop3d", workers=2, TLS_CERT_FILE=str(cert), TLS_KEY_FILE=str(key)) as started:
        old = serial(authority, started.tls_port)
        sock = authority.context().wrap_socket(connect_to(started.tls_address).sock, server_hostname="localhost")
        with greeted(Pop3Client(sock)) as session:
            session.sign_in(ADDRESS, PASSWORD)
            write_pair(authority.ca, cert, key)
            before = len(started.log())
            started.process.send_signal(signal.SIGHUP)
            started.logged("certificate reloaded", after=before, times=3)  # by the parent and both workers
            assert {serial(authority, started.tls_port) for _ in range(6)}.isdisjoint({old})
            assert session.message(2)
            assert session.quit().startswith(b"+OK")


@pytest.mark.req("P-135")
def test_a_worker_that_takes_anothers_place_after_a_renewal_shows_the_new_certificate_and_resumes_old_sessions(
    mail_site: MailSite, authority: Authority, tmp_path: Path
) -> None:
    cert, key, ticket = tmp_path / "cert.pem", tmp_path / "key.pem", tmp_path / "ticket"
    write_pair(authority.ca, cert, key)
    with daemon("pop3d", TLS_CERT_FILE=str(cert), TLS_KEY_FILE=str(key)) as started:
        old = serial(authority, started.tls_port)
        s_client(started.tls_port, "-tls1_3", "-sess_out", str(ticket))
        write_pair(authority.ca, cert, key)
        before = len(started.log())
        started.process.send_signal(signal.SIGHUP)
        started.logged("certificate reloaded", after=before, times=2)
        os.kill(started.workers()[0], signal.SIGKILL)
        started.logged("listens on", after=before)
        assert serial(authority, started.tls_port) != old
        assert b"Reused, TLSv1.3" in s_client(started.tls_port, "-tls1_3", "-sess_in", str(ticket)).stdout


@pytest.mark.req("P-135")
def test_a_worker_that_still_waits_for_the_database_survives_a_renewal_and_shows_the_new_certificate(
    mail_site: MailSite, authority: Authority, tmp_path: Path
) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    write_pair(authority.ca, cert, key)
    away = tmp_path / ".s.PGSQL.5432"
    with socket.socket(socket.AF_UNIX) as database, ThreadPoolExecutor(1) as pool:
        database.bind(str(away))
        database.listen()

        def renewed_meanwhile() -> int:
            """A database that takes a connection, says nothing until the certificate was renewed, and is gone."""
            database.settimeout(LONGEST_WAIT_SECONDS)
            with database.accept()[0] as connection:
                credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
                worker, _user, _group = struct.unpack("3i", credentials)
                write_pair(authority.ca, cert, key)
                os.kill(worker, signal.SIGHUP)
                away.unlink()
            return int(worker)

        renewing = pool.submit(renewed_meanwhile)
        old = x509.load_pem_x509_certificate(cert.read_bytes()).serial_number
        database_url = f"postgres://nobody@/none?host={tmp_path}"
        with daemon("pop3d", TLS_CERT_FILE=str(cert), TLS_KEY_FILE=str(key), DATABASE_URL=database_url) as started:
            assert started.workers() == [renewing.result(LONGEST_WAIT_SECONDS)]
            assert int(serial(authority, started.tls_port), 16) != old


@pytest.mark.req("P-135")
def test_an_unusable_certificate_on_sighup_is_logged_and_the_old_one_goes_on(
    mail_site: MailSite, authority: Authority, tmp_path: Path
) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    write_pair(authority.ca, cert, key)
    with daemon("pop3d", TLS_CERT_FILE=str(cert), TLS_KEY_FILE=str(key)) as started:
        old = serial(authority, started.tls_port)
        cert.write_text("no certificate\n")
        started.process.send_signal(signal.SIGHUP)
        started.logged("the old one goes on")
        assert serial(authority, started.tls_port) == old


@pytest.mark.req("P-133")
def test_an_unusable_pair_by_name_is_left_out_at_the_start_and_all_others_are_served(
    mail_site: MailSite, authority: Authority, tls_settings: dict[str, str], tmp_path: Path
) -> None:
    named_pair(authority.ca, tmp_path, "mail.good.example")
    named_pair(authority.ca, tmp_path, "mail.broken.example").write_text("no certificate\n")
    (named_pair(authority.ca, tmp_path, "mail.keyless.example").parent / "privkey.pem").unlink()
    (tmp_path / "README").write_text("no pair\n")
    with daemon("pop3d", TLS_SNI_DIR=str(tmp_path), **tls_settings) as started:
        broken = tmp_path / "mail.broken.example" / "fullchain.pem"
        started.logged(f"certificate for mail.broken.example is left out.*: {broken} holds no certificate")
        keyless = tmp_path / "mail.keyless.example" / "privkey.pem"
        started.logged(f"certificate for mail.keyless.example is left out.*: {keyless} is not there")
        assert not [line for line in started.log() if "README" in line]
        assert names(authority, started.tls_port, "mail.good.example") == {"mail.good.example"}
        for left_out in ("mail.broken.example", "mail.keyless.example"):
            assert "localhost" in names(authority, started.tls_port, left_out)


@pytest.mark.req("P-133")
@pytest.mark.req("P-135")
def test_an_unusable_pair_by_name_keeps_its_old_certificate_and_no_other_from_a_new_one(
    mail_site: MailSite, authority: Authority, tmp_path: Path
) -> None:
    default, by_name = tmp_path / "default", tmp_path / "names"
    default.mkdir()
    cert, key = default / "cert.pem", default / "key.pem"
    write_pair(authority.ca, cert, key)
    broken = named_pair(authority.ca, by_name, "broken.example")
    named_pair(authority.ca, by_name, "renewed.example", "old.example")
    with daemon("pop3d", TLS_CERT_FILE=str(cert), TLS_KEY_FILE=str(key), TLS_SNI_DIR=str(by_name)) as started:
        old = serial(authority, started.tls_port)
        broken.write_text("no certificate\n")
        named_pair(authority.ca, by_name, "renewed.example", "new.example")
        named_pair(authority.ca, by_name, "added.example")
        named_pair(authority.ca, by_name, "added-broken.example").write_text("no certificate\n")
        write_pair(authority.ca, cert, key)
        os.kill(started.workers()[0], signal.SIGHUP)
        started.logged("the certificate for broken.example was not reloaded, the old one goes on")
        started.logged("the certificate for added-broken.example is left out")
        assert names(authority, started.tls_port, "broken.example") == {"broken.example"}
        assert names(authority, started.tls_port, "renewed.example") == {"renewed.example", "new.example"}
        assert names(authority, started.tls_port, "added.example") == {"added.example"}
        assert "localhost" in names(authority, started.tls_port, "added-broken.example")
        assert serial(authority, started.tls_port) != old


# --- the end ------------------------------------------------------------------------------------------------------


@pytest.mark.req("P-136")
def test_close_notify_is_sent_when_the_session_ends(mail_site: MailSite) -> None:
    context = mail_site.authority.context()
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    sock = socket.create_connection(mail_site.pop3d.tls_address, 30)
    channel = context.wrap_socket(sock, server_hostname="localhost", suppress_ragged_eofs=False)
    with greeted(Pop3Client(channel)) as client:
        client.send(b"QUIT\r\n")
        assert client.line() == b"+OK goodbye\r\n"
        assert channel.recv(1) == b""  # an end without close_notify raises


@pytest.mark.req("P-136")
def test_a_client_that_ends_without_close_notify_harms_nobody(mail_site: MailSite) -> None:
    mail_site.mailbox()
    before = len(mail_site.pop3d.log())
    with mail_site.dial_tls() as client:
        client.sign_in(ADDRESS, PASSWORD)
        raw = socket.socket(fileno=client.sock.detach())
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raw.close()
    mail_site.pop3d.logged(rf"session client=.* address={ADDRESS} .*tls=TLSv1.3 reason=\"?lost", after=before)
    with mail_site.dial_tls() as client:
        client.sign_in(ADDRESS, PASSWORD)


@pytest.mark.req("P-130")
def test_an_unfinished_handshake_counts_as_a_connection_and_a_sign_in_still_gets_through(
    mail_site: MailSite, proxied: Daemon
) -> None:
    mail_site.mailbox()
    silent = [connect_to(proxied.tls_address, source="127.0.0.9") for _ in range(30)]
    try:
        for client in silent:
            client.send(hello()[:40])
        with greeted(connect_to(proxied.address)) as client:
            client.sign_in(ADDRESS, PASSWORD)
        proxied.logged("made room")
    finally:
        for client in silent:
            client.sock.close()


def named_pair(ca: trustme.CA, where: Path, *names: str) -> Path:
    """The folder of the first name, as certbot lays it out; returns its certificate file."""
    folder = where / names[0]
    folder.mkdir(parents=True, exist_ok=True)
    write_pair(ca, folder / "fullchain.pem", folder / "privkey.pem", *names)
    return folder / "fullchain.pem"


def write_pair(
    ca: trustme.CA, cert: Path, key: Path, *names: str, key_type: trustme.KeyType = trustme.KeyType.ECDSA
) -> None:
    pair = ca.issue_cert(*(names or ("localhost",)), key_type=key_type)
    cert.write_bytes(b"".join(blob.bytes() for blob in pair.cert_chain_pems))
    key.write_bytes(pair.private_key_pem.bytes())


def names(authority: Authority, port: int, name: str | None) -> set[str]:
    """The names of the certificate that a client asking for `name` is shown."""
    context = authority.context()
    context.check_hostname = False
    sock = socket.create_connection(("127.0.0.1", port), 30)
    with context.wrap_socket(sock, server_hostname=name) as channel:
        found = channel.getpeercert() or {}
    return {str(value) for kind, value in found["subjectAltName"] if kind == "DNS"}


def serial(authority: Authority, port: int) -> str:
    sock = socket.create_connection(("127.0.0.1", port), 30)
    with authority.context().wrap_socket(sock, server_hostname="localhost") as channel:
        return str((channel.getpeercert() or {})["serialNumber"])
