"""Read a name or a password from the octets that a mail program sent, whatever it takes for text. Pure."""

from __future__ import annotations

import unicodedata

# Windows-1252 as the web has it (WHATWG Encoding): the five octets without a character stand for C1 controls.
_WINDOWS_1252 = tuple(bytes([octet]).decode("cp1252", "ignore") or chr(octet) for octet in range(256))
_CONTROLS = bytes(range(0x20)) + b"\x7f"


def read(data: bytes) -> str:
    """Return the text in NFC. It is UTF-8, or else Windows-1252, as old programs in Western countries send it."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = "".join(_WINDOWS_1252[octet] for octet in data)
    return unicodedata.normalize("NFC", text)


def has_control_octets(data: bytes) -> bool:
    """Say whether `data` holds NUL to US, or DEL. No command may, and so no name and no password."""
    return len(data.translate(None, _CONTROLS)) != len(data)
