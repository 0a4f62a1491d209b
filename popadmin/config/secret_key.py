"""The secret key that a site makes for itself: a file in the data folder, made once, and refused if it is damaged."""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from mailstore import durable_file

KEY_OCTETS = 50
KEY_CHARACTERS = 67  # of that many octets in base64
LEAST_CHARACTERS = 32  # of a key that a person has typed, with its line end
CHARACTERS = re.compile(r"[!-~]*")  # ASCII without blanks


def read(file: Path) -> str | None:
    """Return the key, or None if there is no file. ImproperlyConfigured says what is wrong with a damaged one.

    A new key signs everybody out. So only a person who knows what happened to the disk may choose one.
    """
    try:
        text = file.read_bytes().decode("ascii", errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ImproperlyConfigured(
            f"{file} cannot be read by {_user()} ({error.strerror}): it holds the site's secret key. Run this as the "
            f"user that the site runs as, or as root; where a command of root has made it, `chown` it to that user"
        ) from error
    if damage := _damage(text):
        raise ImproperlyConfigured(
            f"{file} is damaged ({damage}): it holds the site's secret key. Bring it back from a backup; or remove it, "
            "and `up` makes a new one: then everybody has to sign in to the pages again, and links that were mailed no "
            "longer work. Mail and passwords do not depend on it"
        )
    return text.strip()


def make(file: Path) -> str:
    """Make a key. If another process of the same start was faster, return its key."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        durable_file.create(file, f"{secrets.token_urlsafe(KEY_OCTETS)}\n".encode())
    return read(file) or make(file)


def _user() -> str:
    """Return the name of the user who runs this process, or the number if the system knows no name."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"user {os.geteuid()}"


def _damage(text: str) -> str | None:
    """Return what is wrong with the text of the file, or None.

    Earlier versions wrote no line end. So a text without one is complete only at the full length of our keys.
    """
    key = text.strip()
    least = LEAST_CHARACTERS if text.endswith("\n") else KEY_CHARACTERS
    if not text:
        return "it is empty"
    if not CHARACTERS.fullmatch(key):
        return "it is not text"
    return f"it is cut off after {len(key)} characters" if len(key) < least else None
