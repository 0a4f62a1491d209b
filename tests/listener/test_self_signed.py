"""The self-signed pair of a first start."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography import x509
from django.core.exceptions import ImproperlyConfigured

from mailstore.conf import Tls
from mailstore.listener import self_signed


@pytest.fixture
def tls(tmp_path: Path) -> Tls:
    return Tls(tmp_path / "tls" / "cert.pem", tmp_path / "tls" / "key.pem", None, made_below=tmp_path)


def names(cert_file: Path) -> x509.SubjectAlternativeName:
    found = x509.load_pem_x509_certificate(cert_file.read_bytes())
    return found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value


def test_a_missing_pair_is_made_and_serves_the_host_name_and_loopback(tls: Tls) -> None:
    self_signed.ensure_pair(tls, "mail.example.test")

    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(tls.cert_file, tls.key_file)
    assert names(tls.cert_file).get_values_for_type(x509.DNSName) == ["mail.example.test", "localhost"]
    assert names(tls.cert_file).get_values_for_type(x509.IPAddress) == [
        ipaddress.ip_address("127.0.0.1"),
        ipaddress.ip_address("::1"),
    ]


def test_a_host_name_that_is_an_address_or_not_ascii_is_named_as_clients_will_look_for_it(tls: Tls) -> None:
    self_signed.ensure_pair(tls, "192.0.2.7")
    assert ipaddress.ip_address("192.0.2.7") in names(tls.cert_file).get_values_for_type(x509.IPAddress)

    tls.cert_file.unlink()
    tls.key_file.unlink()
    self_signed.ensure_pair(tls, "bücher.example.test")
    assert "xn--bcher-kva.example.test" in names(tls.cert_file).get_values_for_type(x509.DNSName)


def test_only_its_owner_reads_the_key(tls: Tls) -> None:
    self_signed.ensure_pair(tls, "mail.example.test")
    assert stat.S_IMODE(tls.key_file.stat().st_mode) == 0o600


def test_a_pair_that_is_there_stays_as_it_is(tls: Tls) -> None:
    self_signed.ensure_pair(tls, "mail.example.test")
    before = tls.cert_file.read_bytes(), tls.key_file.read_bytes()
    self_signed.ensure_pair(tls, "other.example.test")
    assert (tls.cert_file.read_bytes(), tls.key_file.read_bytes()) == before


def test_of_many_that_start_at_once_one_makes_the_pair_and_nothing_else_stays(tls: Tls, tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: self_signed.ensure_pair(tls, "mail.example.test"), range(8)))

    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(tls.cert_file, tls.key_file)
    assert [entry.name for entry in tmp_path.iterdir()] == ["tls"]


def test_a_missing_pair_outside_the_data_folder_is_a_mistake_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    outside = Tls(tmp_path / "own" / "c.pem", tmp_path / "own" / "k.pem", None, made_below=tmp_path / "data")
    with pytest.raises(ImproperlyConfigured, match=r"TLS_CERT_FILE=.*c.pem.*not there"):
        self_signed.ensure_pair(outside, "mail.example.test")
    assert not (tmp_path / "own").exists()


def test_a_folder_with_other_files_is_left_alone(tls: Tls) -> None:
    tls.cert_file.parent.mkdir()
    (tls.cert_file.parent / "notes.txt").write_text("mine")
    with pytest.raises(ImproperlyConfigured, match="put the pair there"):
        self_signed.ensure_pair(tls, "mail.example.test")
    assert [entry.name for entry in tls.cert_file.parent.iterdir()] == ["notes.txt"]


def test_the_end_of_a_certificate_is_told_with_its_time_zone(tls: Tls) -> None:
    before = datetime.datetime.now(datetime.UTC)
    self_signed.ensure_pair(tls, "mail.example.test")
    left = self_signed.expires_at(tls.cert_file) - before
    assert datetime.timedelta(days=824) < left < datetime.timedelta(days=826)
