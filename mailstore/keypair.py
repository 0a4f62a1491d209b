"""A certificate and its key on disk: whether they can be used together, and if not, why."""

from __future__ import annotations

import os
import pwd
import ssl
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

CERTIFICATE, KEY = "fullchain.pem", "privkey.pem"  # in the folder of each name in TLS_SNI_DIR, as certbot names them


class Kind(StrEnum):
    """What can be wrong with a file of a pair, with a text for the log and the shell."""

    MISSING = "{file} is not there"
    CLOSED = "{file} cannot be read by the user {user}: {detail} (docs/install.md, Certificates)"
    UNREADABLE = "{file} cannot be read: {detail}"
    NO_CERTIFICATE = "{file} holds no certificate in PEM form"
    NO_KEY = "{file} holds no private key in PEM form"
    ENCRYPTED = "{file} is encrypted, and nobody is there to type its password"
    MISMATCH = "{file} is the key of another certificate"
    SAME_KEY_KIND = "{file} is for the same kind of key as the other certificate: give one with RSA, one with ECDSA"
    REFUSED = "{file} is refused by OpenSSL: {detail}"


Stamp = tuple[tuple[int, ...] | None, ...]  # of both files; it changes when one of them does


@dataclass(frozen=True, slots=True)
class Pair:
    """The files of a certificate, with its chain, and of its key."""

    cert_file: Path
    key_file: Path

    @property
    def files(self) -> tuple[Path, Path]:
        return self.cert_file, self.key_file

    def stamp(self) -> Stamp:
        """Return what differs after each change of the files, also where symbolic links lead to others."""
        return tuple(map(_stamp, self.files))


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a pair cannot be used. `file` is the one to repair."""

    kind: Kind
    file: Path
    user: str = ""
    detail: str = ""

    def __str__(self) -> str:
        return self.kind.value.format(file=self.file, user=self.user, detail=self.detail)


class Unusable(Exception):
    """The pair cannot be used; `fault` says why, and so does the text."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


def load(context: ssl.SSLContext, cert_file: Path, key_file: Path) -> None:
    """Load the pair into the context. Raises Unusable."""
    if b"CERTIFICATE-----" not in _read(cert_file):
        raise Unusable(Fault(Kind.NO_CERTIFICATE, cert_file))
    key = _read(key_file)
    if b"PRIVATE KEY-----" not in key:
        raise Unusable(Fault(Kind.NO_KEY, key_file))
    try:
        context.load_cert_chain(cert_file, key_file, password="")  # without one OpenSSL asks the terminal
    except OSError as error:
        raise Unusable(_refusal(cert_file, key_file, key, error)) from error


def fault(cert_file: Path, key_file: Path) -> Fault | None:
    """Return what is wrong with the pair; None if this process can use it."""
    try:
        load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), cert_file, key_file)
    except Unusable as error:
        return error.fault
    return None


def folders(names: Path) -> list[Path]:
    """Return the folders of TLS_SNI_DIR for a pair: they have one of its files, or this user cannot read them.

    Raises Unusable if TLS_SNI_DIR itself cannot be read.
    """
    try:
        entries = sorted(names.iterdir())
    except OSError as error:
        raise Unusable(_unreadable(names, error)) from error
    return [entry for entry in entries if not (missing(entry / CERTIFICATE) and missing(entry / KEY))]


def missing(file: Path) -> bool:
    """Return True if there is no such file. False if it may be in a folder that is closed to this user."""
    try:
        return not file.is_file()
    except PermissionError:
        return False


def _stamp(file: Path) -> tuple[int, ...] | None:
    """Return inode, size, and when content, owner or mode changed; None where the file cannot be seen."""
    try:
        state = file.stat()
    except OSError:
        return None
    return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Unusable(_unreadable(file, error)) from error


def _unreadable(path: Path, error: OSError) -> Fault:
    if isinstance(error, FileNotFoundError):
        return Fault(Kind.MISSING, path)
    if isinstance(error, PermissionError):
        return Fault(Kind.CLOSED, path, user=_user(), detail=_obstacle(path))
    return Fault(Kind.UNREADABLE, path, detail=error.strerror or str(error))


def _refusal(cert_file: Path, key_file: Path, key: bytes, error: OSError) -> Fault:
    """Find the file that OpenSSL means: its message names neither."""
    reason = getattr(error, "reason", None)
    if reason == "KEY_VALUES_MISMATCH":
        return Fault(Kind.MISMATCH, key_file)
    if b"ENCRYPTED" in key:
        return Fault(Kind.ENCRYPTED, key_file)
    return Fault(Kind.REFUSED, cert_file, detail=reason or error.strerror or str(error))


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a user of a container, without an entry
        return str(os.geteuid())


def _obstacle(file: Path) -> str:
    """Return what stops the user on the way to a file, also through symbolic links, and what to do."""
    for path in (file, Path(os.path.realpath(file))):
        for folder in reversed(path.parents):
            if not os.access(folder, os.X_OK, effective_ids=True):
                return f"the folder {folder} is closed to it, so give it a copy elsewhere"
    return "give it a copy of its own"
