"""The certificate that programs see when they send."""

from __future__ import annotations

import smtplib
import ssl
from datetime import UTC, datetime, timedelta

from cryptography import x509

from mailstore.mta.checks.journey import trusting
from mailstore.mta.checks.result import Finding, bad, skipped
from mailstore.mta.checks.subject import SECONDS, Subject
from mailstore.mta.socket_address import SocketAddress

WARNING = timedelta(days=14)  # as for the certificate of POP3


def submission(subject: Subject) -> Finding:
    """It lasts, and is for the name that programs connect to."""
    address = subject.mta.submission or subject.mta.submissions
    if subject.server.sasl is None or address is None:
        return skipped("no-submission")
    try:
        data = _served(address, is_implicit=subject.mta.submission is None)
    except (OSError, smtplib.SMTPException) as error:
        return bad("no-tls", str(error), address=address)
    certificate = x509.load_der_x509_certificate(data)
    names, ends_at = _names(certificate), certificate.not_valid_after_utc
    said = f"{', '.join(names)}, {ends_at:%Y-%m-%d}"
    if ends_at - datetime.now(UTC) < WARNING:
        return bad("certificate-ends", said, day=f"{ends_at:%Y-%m-%d}")
    host = subject.server.smtp_hostname.lower()
    fits = not names or host in names or f"*.{host.partition('.')[2]}" in names
    return Finding(said) if fits else bad("certificate-names", said, host=host)


def _served(address: SocketAddress, *, is_implicit: bool) -> bytes:
    """Return the certificate of a port, as DER."""
    if is_implicit:
        with smtplib.SMTP_SSL(address.host, address.port, timeout=SECONDS, context=trusting()) as smtp:
            return _of(smtp)
    with smtplib.SMTP(address.host, address.port, timeout=SECONDS) as smtp:
        smtp.starttls(context=trusting())
        return _of(smtp)


def _of(smtp: smtplib.SMTP) -> bytes:
    sock = smtp.sock
    data = sock.getpeercert(binary_form=True) if isinstance(sock, ssl.SSLSocket) else None
    if data is None:
        raise OSError("no certificate")
    return data


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [name.lower() for name in found.get_values_for_type(x509.DNSName)]
