"""Make the self-signed certificate of a first start, and read when a certificate expires."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import logging
import os
import shutil
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from django.core.exceptions import ImproperlyConfigured

from mailstore import durable_file, keypair
from mailstore.conf import Tls
from mailstore.file_owner import identity_of

log = logging.getLogger("popadmin.tls")

VALID_DAYS = 825  # the longest that Apple's mail programs accept
CLOCK_SKEW = datetime.timedelta(hours=1)
LONGEST_COMMON_NAME = 64  # RFC 5280, ub-common-name
LOOPBACK = ("127.0.0.1", "::1")


def ensure_pair(tls: Tls, hostname: str) -> None:
    """Make certificate and key if they are missing, and return when both files are there.

    Several processes may call this at once; one of them makes the pair. It is made only below `tls.made_below`. A file
    that is missing elsewhere is a mistake in the settings (ImproperlyConfigured). A pair there that a power cut has
    damaged is set aside, and another one is made.
    """
    if not (keypair.missing(tls.cert_file) or keypair.missing(tls.key_file)):
        if not is_replaceable(tls):
            return
        _set_aside(tls.cert_file.parent)
    folder = tls.cert_file.parent
    if not _may_be_made(tls):
        raise ImproperlyConfigured(
            f"TLS_CERT_FILE={str(tls.cert_file)!r} and TLS_KEY_FILE={str(tls.key_file)!r} are not there"
        )
    with identity_of(str(folder.parent)):
        folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix="tls.", dir=folder.parent))
        try:
            _write_pair(unfinished / tls.cert_file.name, unfinished / tls.key_file.name, hostname)
            _publish(unfinished, tls)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


def expires_at(cert_file: Path) -> datetime.datetime:
    """Return when the certificate expires (notAfter of RFC 5280 §4.1.2.5), with its time zone."""
    return x509.load_pem_x509_certificate(cert_file.read_bytes()).not_valid_after_utc


def _may_be_made(tls: Tls) -> bool:
    """Return True if both files belong into one folder below the data folder. Then one rename can make both."""
    folder = tls.cert_file.parent
    return folder == tls.key_file.parent and tls.made_below in folder.parents


def is_replaceable(tls: Tls) -> bool:
    """Return True if both files are there, in our own folder, and one of them is damaged.

    Two whole files that do not fit each other are left alone. They may be a renewal that is not finished.
    """
    if keypair.missing(tls.cert_file) or keypair.missing(tls.key_file):
        return False
    return _may_be_made(tls) and _is_damaged(tls)


def _is_damaged(tls: Tls) -> bool:
    """Return True if a file has no certificate or no key in it. False if this user may not read a file."""
    try:
        cert, key = tls.cert_file.read_bytes(), tls.key_file.read_bytes()
    except OSError:
        return False
    try:
        certificate = x509.load_pem_x509_certificate(cert)
    except ValueError:
        return True
    try:
        serialization.load_pem_private_key(key, None)
    except ValueError:
        # A certificate that others signed belongs to an administrator, who has its key elsewhere too.
        return certificate.issuer == certificate.subject
    except TypeError:  # the key is encrypted
        return False
    return False


def _set_aside(folder: Path) -> None:
    with contextlib.suppress(FileNotFoundError):  # another process was first
        aside = durable_file.set_aside(folder)
        log.error(
            "the certificate or the key in %s was damaged: both are now in %s, a pair is made anew", folder, aside
        )


def _publish(unfinished: Path, tls: Tls) -> None:
    """Put both files in place in one step, so that no process ever sees one without the other."""
    try:
        durable_file.sync(unfinished)
        unfinished.rename(tls.cert_file.parent)
        durable_file.sync(tls.cert_file.parent.parent)
    except OSError as error:  # the folder is not empty: another process was first, or an administrator made it
        if not (tls.cert_file.is_file() and tls.key_file.is_file()):
            raise ImproperlyConfigured(
                f"{tls.cert_file.parent} is there without {tls.cert_file.name} and {tls.key_file.name}: "
                "put the pair there, or remove the folder"
            ) from error


def _write_pair(cert_file: Path, key_file: Path, hostname: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    _write(
        key_file,
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        mode=0o600,
    )
    _write(cert_file, _certificate(key, hostname).public_bytes(serialization.Encoding.PEM), mode=0o644)


def _write(file: Path, content: bytes, *, mode: int) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(descriptor)


def _certificate(key: ec.EllipticCurvePrivateKey, hostname: str) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hostname[:LONGEST_COMMON_NAME])])
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + datetime.timedelta(days=VALID_DAYS))
        .add_extension(_names(hostname), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )


def _names(hostname: str) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([_name(host) for host in dict.fromkeys((hostname, "localhost", *LOOPBACK))])


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host.encode("idna").decode("ascii"))
