"""Sign a profile for Apple's devices by CMS, with a certificate of the site. An unsigned profile works too."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options, PKCS7SignatureBuilder
from django.conf import settings

log = logging.getLogger("popadmin.connect")


class CannotSign(Exception):
    """The certificate or its key cannot be read or used; the text says why."""


@dataclass(frozen=True, slots=True)
class Signer:
    """A certificate with its chain and its key."""

    chain: list[x509.Certificate]
    key: RSAPrivateKey | EllipticCurvePrivateKey

    @property
    def is_self_signed(self) -> bool:
        """Return whether no authority stands behind it, so that a device calls the profile unverified."""
        return self.chain[0].issuer == self.chain[0].subject

    def sign(self, data: bytes) -> bytes:
        """Return the data within a CMS SignedData in DER, with the chain (RFC 5652)."""
        builder = PKCS7SignatureBuilder().set_data(data).add_signer(self.chain[0], self.key, SHA256())
        for certificate in self.chain[1:]:
            builder = builder.add_certificate(certificate)
        return builder.sign(Encoding.DER, [PKCS7Options.Binary])


def signed(data: bytes) -> bytes:
    """Return the profile signed, or as it is where this process cannot sign."""
    try:
        return load_signer().sign(data)
    except CannotSign as error:
        log.info("a profile is not signed: %s", error)
        return data


def is_verifiable() -> bool:
    """Return whether devices show a profile of this site as verified."""
    try:
        return not load_signer().is_self_signed
    except CannotSign:
        return False


def load_signer() -> Signer:
    """Read the files anew, as a renewed certificate has the same names. Raises CannotSign."""
    try:
        chain = x509.load_pem_x509_certificates(settings.PROFILE_SIGN_CERT_FILE.read_bytes())
        key = load_pem_private_key(settings.PROFILE_SIGN_KEY_FILE.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:  # TypeError: the key has a password
        raise CannotSign(str(error)) from error
    if not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey):
        raise CannotSign(f"{settings.PROFILE_SIGN_KEY_FILE} is neither RSA nor ECDSA")
    if key.public_key() != chain[0].public_key():
        raise CannotSign(f"{settings.PROFILE_SIGN_KEY_FILE} is the key of another certificate")
    return Signer(chain, key)
