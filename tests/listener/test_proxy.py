"""The PROXY header on the wire: who must send it, who may not, and whose address counts afterwards."""

from __future__ import annotations

import socket
import ssl
from contextlib import ExitStack

import pytest

from tests.listener.conftest import FOR_PROXIES, PROXY
from tests.listener.proxy_headers import health_check, tls_tlv, version_1, version_2
from tests.listeners import PASSWORD, Daemon, MailSite, daemon, greeted, numbered
from tests.pop3_client import Pop3Client, connect_to

pytestmark = pytest.mark.django_db(transaction=True)
ADDRESS = "ann@example.org"
STRANGER = "127.0.0.9"


def proxied_client(listener: Daemon, header: bytes) -> Pop3Client:
    return connect_to(listener.proxy_address, source=PROXY, head=header)


@pytest.mark.req("P-179")
@pytest.mark.req("P-184")
@pytest.mark.parametrize("header", [version_1, version_2])
@pytest.mark.parametrize("client", ["198.51.100.7", "2001:db8::7"])
def test_the_announced_address_is_the_clients(mail_site: MailSite, proxied: Daemon, header, client: str) -> None:
    mail_site.mailbox()
    before = len(proxied.log())
    with greeted(proxied_client(proxied, header(client))) as session:
        session.sign_in(ADDRESS, PASSWORD)
        session.quit()
    proxied.logged(rf"session client={client} proxy={PROXY} .*address={ADDRESS}", after=before)


@pytest.mark.req("P-179")
def test_nothing_is_sent_before_the_header_is_whole(proxied: Daemon) -> None:
    header = version_1("198.51.100.7")
    with proxied_client(proxied, header[:-1]) as client:
        client.sock.settimeout(1)
        with pytest.raises(TimeoutError):
            client.sock.recv(1)
        client.sock.settimeout(30)
        client.send(header[-1:])
        greeted(client)


@pytest.mark.req("P-178")
def test_a_proxy_that_sends_no_header_gets_nothing_and_is_cut_off(proxied: Daemon) -> None:
    before = len(proxied.log())
    with connect_to(proxied.proxy_address, source=PROXY) as client:
        assert client.rest() == b""
    proxied.logged("no valid PROXY header: TimeoutError", after=before)


@pytest.mark.req("P-178")
@pytest.mark.req("P-180")
@pytest.mark.parametrize("header", [version_1("198.51.100.7"), version_2("198.51.100.7")])
def test_who_is_no_trusted_proxy_is_cut_off_at_once_whatever_the_header_says(proxied: Daemon, header: bytes) -> None:
    before = len(proxied.log())
    with connect_to(proxied.proxy_address, source=STRANGER, head=header) as client:
        assert client.rest() == b""
    with connect_to(proxied.proxy_tls_address, source=STRANGER) as client:
        assert client.rest() == b""
    proxied.logged(f"refused {STRANGER}: it is not among TRUSTED_PROXIES", after=before, times=2)


@pytest.mark.req("P-178")
@pytest.mark.parametrize("source", [PROXY, STRANGER])
def test_an_ordinary_listener_takes_a_header_for_a_bad_command_from_a_trusted_proxy_too(
    proxied: Daemon, source: str
) -> None:
    before = len(proxied.log())
    with connect_to(proxied.address, source=source, head=version_1("198.51.100.7")) as client:
        assert greeted(client).line().startswith(b"-ERR")
        client.quit()
    proxied.logged(rf"session client={source} reason=", after=before)


@pytest.mark.req("P-178")
def test_a_proxy_of_the_web_pages_on_this_machine_takes_nothing_from_local_mail_programs(
    mail_site: MailSite, tls_settings: dict[str, str]
) -> None:
    """nginx on 127.0.0.1 is trusted for the pages; probes and webmail come from there too, and send no header."""
    mail_site.mailbox()
    with daemon("pop3d", TRUSTED_PROXIES="127.0.0.1,::1", **tls_settings) as listener:
        with greeted(connect_to(listener.address)) as client:
            client.sign_in(ADDRESS, PASSWORD)
        sock = connect_to(listener.tls_address).sock
        greeted(Pop3Client(mail_site.authority.context().wrap_socket(sock, server_hostname="localhost"))).quit()


@pytest.mark.req("P-181")
@pytest.mark.req("P-182")
@pytest.mark.parametrize(
    "damaged",
    [
        b"PROXY TCP4 198.51.100.7 198.51.100.7 50000 110\n" + b"\n" * 60,
        b"PROXY TCP4 198.51.100.07 198.51.100.7 50000 110\r\n",
        b"PROXY TCP4 198.51.100.7 198.51.100.7 50000 65536\r\n",
        b"PROXY TCP6 198.51.100.7 198.51.100.7 50000 110\r\n",
        b"PROXY UNKNOWN " + b"x" * 100 + b"\r\n",
        b"proxy TCP4 198.51.100.7 198.51.100.7 50000 110\r\n",
        b"USER ann@example.org\r\nPASS secret\r\n",
        version_2("198.51.100.7").replace(b"\x21\x11", b"\x31\x11"),
        version_2("198.51.100.7")[:14] + b"\0\x04" + bytes(4),
    ],
)
def test_a_damaged_header_ends_the_connection_without_a_word(proxied: Daemon, damaged: bytes) -> None:
    with proxied_client(proxied, damaged) as client:
        assert client.rest() == b""


@pytest.mark.req("P-182")
def test_a_health_check_keeps_the_balancers_own_address(proxied: Daemon) -> None:
    before = len(proxied.log())
    with greeted(proxied_client(proxied, health_check())) as client:
        client.quit()
    proxied.logged(rf"session client={PROXY} proxy={PROXY} ", after=before)


@pytest.mark.req("P-036")
@pytest.mark.req("P-182")
def test_who_comes_by_a_proxy_on_this_machine_without_an_address_is_not_this_machine(
    mail_site: MailSite, tls_settings: dict[str, str]
) -> None:
    """Passwords pass in clear from this machine alone; its proxy carries strangers."""
    with daemon("pop3d", PLAINTEXT_LOGIN="loopback", **FOR_PROXIES, **tls_settings) as listener:
        for header in (health_check(), b"PROXY UNKNOWN\r\n", version_1("127.0.0.1")):
            with greeted(proxied_client(listener, header)) as stranger:
                assert stranger.ask(f"USER {ADDRESS}") == b"-ERR use TLS before you sign in"
        with greeted(connect_to(listener.address, source=STRANGER)) as local:
            assert local.ask(f"USER {ADDRESS}").startswith(b"+OK")


@pytest.mark.req("P-185")
@pytest.mark.req("P-036")
def test_tls_that_ended_in_the_proxy_lets_a_password_pass_and_stands_in_the_record(
    mail_site: MailSite, tls_settings: dict[str, str]
) -> None:
    mail_site.mailbox()
    with daemon("pop3d", PLAINTEXT_LOGIN="never", **FOR_PROXIES, **tls_settings) as listener:
        header = version_2("198.51.100.7", tls_tlv("TLSv1.2"))
        before = len(listener.log())
        with greeted(proxied_client(listener, header)) as client:
            assert b"STLS" not in client.rows("CAPA")
            assert client.ask("STLS").startswith(b"-ERR")
            client.sign_in(ADDRESS, PASSWORD)
            client.quit()
        listener.logged(rf"session client=198.51.100.7 proxy={PROXY} .*address={ADDRESS} .*tls=TLSv1.2", after=before)
        in_clear = version_2("198.51.100.7", tls_tlv("TLSv1.2", client=0))
        for header in (in_clear, version_2("198.51.100.7"), version_1("198.51.100.7"), health_check()):
            with greeted(proxied_client(listener, header)) as client:
                assert client.ask(f"USER {ADDRESS}") == b"-ERR use TLS before you sign in"
                client.start_tls(mail_site.authority.context())
                client.sign_in(ADDRESS, PASSWORD)


@pytest.mark.req("P-185")
def test_a_large_body_passes_in_clear_to_the_proxy_that_ends_tls(mail_site: MailSite, proxied: Daemon) -> None:
    """It leaves by sendfile, as on any connection that is in clear here."""
    mail_site.mailbox()
    large = numbered(1, octets=400_000)[0]
    mail_site.fill(ADDRESS, large)
    with greeted(proxied_client(proxied, version_2("198.51.100.7", tls_tlv("TLSv1.3")))) as client:
        client.sign_in(ADDRESS, PASSWORD)
        assert client.message(1).endswith(large)


@pytest.mark.req("P-182")
def test_unknown_tlvs_are_skipped(proxied: Daemon) -> None:
    header = version_2("198.51.100.7", tlvs=b"\x04\0\x02xx" + b"\xe0\0\x40" + b"y" * 64)
    greeted(proxied_client(proxied, header + b"QUIT\r\n")).rest()


@pytest.mark.req("P-183")
@pytest.mark.parametrize("header", [version_1, version_2])
def test_commands_in_the_headers_segment_are_answered(proxied: Daemon, header) -> None:
    with greeted(proxied_client(proxied, header("198.51.100.7") + b"CAPA\r\nQUIT\r\n")) as client:
        assert client.rest().startswith(b"+OK capabilities follow\r\n")


@pytest.mark.req("P-183")
@pytest.mark.parametrize("header", [version_1, version_2])
def test_a_client_hello_in_the_headers_segment_opens_tls(mail_site: MailSite, proxied: Daemon, header) -> None:
    """The handshake is driven by hand, so that header and ClientHello leave in one write."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    channel = mail_site.authority.context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        channel.do_handshake()
    raw = socket.create_connection(proxied.proxy_tls_address, 30, source_address=(PROXY, 0))
    with raw:
        raw.sendall(header("198.51.100.7") + outgoing.read())
        while True:
            try:
                channel.do_handshake()
                break
            except ssl.SSLWantReadError:
                raw.sendall(outgoing.read())
                incoming.write(raw.recv(65536))
        raw.sendall(outgoing.read())
        greeting = b""
        while not greeting.endswith(b"\r\n"):
            try:
                greeting += channel.read()
            except ssl.SSLWantReadError:
                incoming.write(raw.recv(65536))
    assert greeting.startswith(b"+OK")


@pytest.mark.req("P-184")
@pytest.mark.req("P-190")
@pytest.mark.req("P-121")
def test_the_limit_of_connections_counts_the_announced_address_and_not_the_proxys(proxied: Daemon) -> None:
    clients = [greeted(proxied_client(proxied, version_1("198.51.100.8"))) for _ in range(3)]
    try:
        with proxied_client(proxied, version_2("198.51.100.8")) as one_more:
            refusal = one_more.rest()
            assert refusal.startswith(b"-ERR [SYS/TEMP] ")
            assert refusal.count(b"\r\n") == 1
        with greeted(proxied_client(proxied, version_1("198.51.100.9"))) as other:
            other.quit()
        clients.pop().quit()
        with greeted(proxied_client(proxied, version_1("198.51.100.8"))) as again:
            again.quit()
    finally:
        for client in clients:
            client.sock.close()


@pytest.mark.req("P-184")
@pytest.mark.req("P-192")
def test_failures_behind_one_proxy_bar_the_attackers_network_and_nobody_else(mail_site: MailSite) -> None:
    """Each failure is answered later than the one before, so the attackers' connections are left waiting."""
    mail_site.mailbox()
    with daemon("pop3d", PLAINTEXT_LOGIN="always", **FOR_PROXIES) as office, ExitStack() as open_ones:
        waiting = []
        for number in range(25):
            attacker = greeted(proxied_client(office, version_1(f"203.0.113.{number}")))
            waiting.append(open_ones.enter_context(attacker))
            attacker.send(f"USER nobody{number}@example.org\r\nPASS wrong\r\n".encode())
            assert attacker.line().startswith(b"+OK")
        with greeted(proxied_client(office, version_1("192.0.2.10"))) as owner:
            owner.sign_in(ADDRESS, PASSWORD)  # before they are answered
        for attacker in waiting:
            assert attacker.line().startswith(b"-ERR ")
        with greeted(proxied_client(office, version_1("203.0.113.200"))) as attacker:
            assert attacker.ask(f"USER {ADDRESS}").startswith(b"+OK")
            assert attacker.ask("PASS wrong").startswith(b"-ERR [LOGIN-DELAY] ")
