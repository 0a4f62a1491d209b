"""One port for devices that know only TLS 1.0 and 1.1, beside the ordinary ones; and RSA beside ECDSA."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.listener.test_tls import named_pair, s_client, write_pair
from tests.listeners import Authority, Daemon, daemon, run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.real]
OLD = ("-cipher", "DEFAULT:@SECLEVEL=0")
GOODBYE = b"+OK goodbye"


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> dict[str, str]:
    """An ECDSA pair, and an RSA pair behind it."""
    folder = tmp_path_factory.mktemp("pairs")
    write_pair(authority.ca, folder / "ecdsa.pem", folder / "ecdsa-key.pem")
    write_pair(authority.ca, folder / "rsa.pem", folder / "rsa-key.pem", key_type=trustme.KeyType.RSA)
    return {
        "TLS_CERT_FILE": f"{folder}/ecdsa.pem,{folder}/rsa.pem",
        "TLS_KEY_FILE": f"{folder}/ecdsa-key.pem, {folder}/rsa-key.pem",
    }


@pytest.fixture(scope="module")
def pop3d(
    django_db_setup: None, pairs: dict[str, str], authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Daemon]:
    """A listener with both pairs, a pair by name, and the port for old devices."""
    names = tmp_path_factory.mktemp("names")
    named_pair(authority.ca, names, "mail.customer.example")
    with daemon("pop3d", **pairs, TLS_SNI_DIR=str(names), POP3S_LEGACY_LISTEN="127.0.0.1:0") as started:
        yield started


@pytest.mark.parametrize(
    ("version", "name"),
    [("-tls1", b"TLSv1"), ("-tls1_1", b"TLSv1.1"), ("-tls1_2", b"TLSv1.2"), ("-tls1_3", b"TLSv1.3")],
)
def test_the_port_for_old_devices_takes_every_version(pop3d: Daemon, version: str, name: bytes) -> None:
    answer = s_client(pop3d.legacy_tls_port, version, *OLD)
    assert GOODBYE in answer.stdout
    assert b"New, %s" % name in answer.stdout or b"Protocol  : %s\n" % name in answer.stdout


def test_an_old_device_without_ecdhe_is_served_by_the_rsa_pair(pop3d: Daemon) -> None:
    answer = s_client(pop3d.legacy_tls_port, "-tls1", "-cipher", "AES128-SHA:@SECLEVEL=0")
    assert b"Cipher is AES128-SHA" in answer.stdout
    assert GOODBYE in answer.stdout


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_a_name_has_its_certificate_on_the_port_for_old_devices_too(pop3d: Daemon, version: str) -> None:
    answer = s_client(pop3d.legacy_tls_port, version, *OLD, "-servername", "mail.customer.example")
    assert GOODBYE in answer.stdout
    shown = run(["openssl", "x509", "-noout", "-ext", "subjectAltName"], stdin=answer.stdout)
    assert b"DNS:mail.customer.example" in shown.stdout


@pytest.mark.req("P-131")
@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_the_other_ports_stay_closed_to_old_versions(pop3d: Daemon, version: str) -> None:
    for port, start in ((pop3d.tls_port, ()), (pop3d.port, ("-starttls", "pop3"))):
        answer = s_client(port, version, *OLD, *start)
        assert b"Cipher is (NONE)" in answer.stdout
        assert b"alert protocol version" in answer.stderr


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        (("-tls1_3", "-sigalgs", "ecdsa_secp256r1_sha256"), b"ECDSA"),
        (("-tls1_3", "-sigalgs", "rsa_pss_rsae_sha256"), b"RSA-PSS"),
        (("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"), b"ECDSA"),
        (("-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"), b"RSA-PSS"),
    ],
)
@pytest.mark.parametrize("start", [(), ("-starttls", "pop3")], ids=["implicit", "STLS"])
def test_each_client_gets_the_pair_of_its_kind_of_key_with_its_chain(
    pop3d: Daemon, authority: Authority, options: tuple[str, ...], kind: bytes, start: tuple[str, ...]
) -> None:
    port = pop3d.port if start else pop3d.tls_port
    answer = s_client(port, *options, *start, "-CAfile", str(authority.ca_file), "-verify_return_error")
    assert b"Peer signature type: %s\n" % kind in answer.stdout
    assert b"Verify return code: 0 (ok)" in answer.stdout
    assert GOODBYE in answer.stdout


def test_two_pairs_for_one_kind_of_key_stop_the_start(authority: Authority, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_pair(authority.ca, tmp_path / f"{name}.pem", tmp_path / f"{name}-key.pem")
    with (
        pytest.raises(AssertionError, match=r"b\.pem is for the same kind of key as the other certificate"),
        daemon(
            "pop3d",
            TLS_CERT_FILE=f"{tmp_path}/a.pem,{tmp_path}/b.pem",
            TLS_KEY_FILE=f"{tmp_path}/a-key.pem,{tmp_path}/b-key.pem",
        ),
    ):
        pass
