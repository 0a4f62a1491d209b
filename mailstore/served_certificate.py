"""What one certificate says, and what keeps its files from being served. It loads nothing into TLS."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from mailstore.keypair import Fault, Kind

SITE = ""  # the name of the certificate that a client gets whose name has none of its own
RSA, ECDSA, OTHER = "RSA", "ECDSA", ""


@dataclass(frozen=True, slots=True)
class ServedCertificate:
    """A certificate that clients get who ask for `name`. `ends_at` is None if none could be read yet.

    `hosts` are the DNS names in it, in lower case. `key_kind` says for which key it is. `changed_at` is when its file
    changed. `fault` is why the present files cannot be served; then this is the last certificate that could be.
    """

    name: str
    ends_at: datetime | None = None
    hosts: tuple[str, ...] = ()
    key_kind: str = OTHER
    changed_at: datetime | None = None
    fault: Fault | None = None

    def with_fault(self, fault: Fault | None) -> ServedCertificate:
        return replace(self, fault=fault)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON has it; `parse` reads it back."""
        fault = self.fault
        return {
            "name": self.name,
            "ends_at": self.ends_at and self.ends_at.isoformat(),
            "hosts": list(self.hosts),
            "key_kind": self.key_kind,
            "changed_at": self.changed_at and self.changed_at.isoformat(),
            "fault": fault and [fault.kind.name, str(fault.file), fault.user, fault.detail],
        }


def read(name: str, cert_file: Path) -> ServedCertificate:
    """Read the first certificate of a file. Where it cannot be read, the answer has only the name."""
    try:
        content = x509.load_pem_x509_certificate(cert_file.read_bytes())
        changed_at = datetime.fromtimestamp(cert_file.stat().st_mtime, UTC)
    except (OSError, ValueError):
        return ServedCertificate(name)
    return ServedCertificate(name, content.not_valid_after_utc, _hosts(content), _key_kind(content), changed_at)


@lru_cache(maxsize=4)
def parse(reports: tuple[str, ...]) -> tuple[ServedCertificate, ...]:
    """Return what several listeners serve, from their lists in JSON: each certificate once. Every page asks."""
    return tuple(dict.fromkeys(_from_json(each) for report in reports for each in json.loads(report)))


def _from_json(data: dict[str, Any]) -> ServedCertificate:
    kind, file, user, detail = data["fault"] or (None, "", "", "")
    return ServedCertificate(
        name=data["name"],
        ends_at=_moment(data["ends_at"]),
        hosts=tuple(data["hosts"]),
        key_kind=data["key_kind"],
        changed_at=_moment(data["changed_at"]),
        fault=Fault(Kind[kind], Path(file), user, detail) if kind else None,
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _hosts(content: x509.Certificate) -> tuple[str, ...]:
    """Return the DNS names of a certificate in lower case; empty where it has none, as older ones."""
    try:
        names = content.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    return tuple(name.lower() for name in names.get_values_for_type(x509.DNSName))


def _key_kind(content: x509.Certificate) -> str:
    try:
        key = content.public_key()
    except ValueError:  # a kind that is not known here
        return OTHER
    return RSA if isinstance(key, rsa.RSAPublicKey) else ECDSA if isinstance(key, ec.EllipticCurvePublicKey) else OTHER
