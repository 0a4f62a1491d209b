"""Read settings from the environment, `.env`, or files named by VARIABLE_FILE. A bad value is reported in one line.

Only this module and settings.py read the environment. It does not know what a setting is for.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import environ
from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")
TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off"})

KEY_MISSING = (
    "SECRET_KEY is not set: set SECRET_KEY, or SECRET_KEY_FILE, to some 50 random characters; `manage.py up` makes them"
)
TCP_FORM = "HOST:PORT or [IPV6]:PORT"
ADDRESS_FORM = "HOST:PORT, [IPV6]:PORT or unix:/path"
HOST_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")  # used in greetings and headers


def load(file: Path) -> None:
    """Read settings from a file, if it exists. The real environment takes precedence."""
    if file.exists() and not os.access(file, os.R_OK):
        raise ImproperlyConfigured(f"{file} cannot be read by this user: run the command as root or as its group")
    environ.Env.read_env(str(file), overwrite=False)


def of_child(**more: str) -> dict[str, str]:
    """Return the environment for a process that we start: our own, with `more`."""
    return {**os.environ, **more}


def bad(variable: str, value: str, allowed: str) -> ImproperlyConfigured:
    """Return the error for a bad setting, in its one standard form."""
    return ImproperlyConfigured(f"{variable}={value!r} is not valid: allowed is {allowed}")


def text(variable: str, default: str) -> str:
    return os.environ.get(variable, default).strip()


def any_set(*names: str) -> bool:
    """Return whether one of these variables, or the file for one, is set."""
    return any(text(name, "") or text(f"{name}_FILE", "") for name in names)


def secret(variable: str) -> str | None:
    """Return the variable, or the content of the file that VARIABLE_FILE names; None when neither is set.

    An empty file is an error: the secret has been lost.
    """
    if value := os.environ.get(variable):
        return value
    name = os.environ.get(f"{variable}_FILE")
    if not name:
        return None
    try:
        value = Path(name).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise bad(f"{variable}_FILE", name, f"the name of a readable file ({why})") from error
    if not value:
        raise bad(f"{variable}_FILE", name, "the name of a readable file (it is empty)")
    return value


def matching(variable: str, default: str, form: re.Pattern[str], allowed: str) -> str:
    """Return the variable if it has this form; the default if it is not set or empty."""
    value = text(variable, "")
    if value and not form.fullmatch(value):
        raise bad(variable, value, allowed)
    return value or default


def paths(variable: str, default: Path) -> list[Path]:
    """Return a comma-separated list of files; the default alone if it is not set or empty."""
    return [Path(item) for item in _items(variable, "")] or [default]


def folder(variable: str, default: Path) -> Path:
    """Return a folder that exists or can be created: no part of its path is a file."""
    found = Path(text(variable, "") or default).resolve()
    if any(part.exists() and not part.is_dir() for part in (found, *found.parents)):
        raise bad(variable, str(found), "a folder, or where one can be made")
    return found


def may_be_folder(path: Path) -> bool:
    """Return whether this may be a folder: True also when this user cannot see into a parent folder."""
    try:
        return path.is_dir()
    except PermissionError:
        return True


def one_of(variable: str, default: str, choices: tuple[str, ...]) -> str:
    value = text(variable, default).lower()
    if value not in choices:
        raise bad(variable, value, " or ".join(choices))
    return value


def boolean(variable: str, *, default: bool) -> bool:
    value = text(variable, "true" if default else "false").lower()
    if value in TRUE | FALSE:
        return value in TRUE
    raise bad(variable, value, "true or false")


def integer(variable: str, default: int, *, least: int, most: int, empty: int | None = None) -> int:
    """Return a whole number. `empty` is the value of an empty variable, if an empty one is allowed."""
    value = text(variable, str(default))
    if not value and empty is not None:
        return empty
    if value.isascii() and value.isdigit() and least <= int(value[:20]) <= most:
        return int(value)
    raise bad(variable, value, f"a whole number from {least} to {most}")


def _items(variable: str, default: str) -> list[str]:
    return [item.strip() for item in text(variable, default).split(",") if item.strip()]


def words(variable: str, default: str, form: re.Pattern[str], allowed: str) -> list[str]:
    """Return a comma-separated list of words that all have this form."""
    return _each(variable, default, lambda item: _in_form(item, form), allowed)


def networks(variable: str) -> tuple[str, ...]:
    """Return a comma-separated list of networks or addresses."""
    return tuple(
        _each(variable, "", lambda item: str(ipaddress.ip_network(item)), "networks such as 10.0.0.0/8 or ::1")
    )


def addresses(variable: str) -> tuple[str, ...]:
    """Return a comma-separated list of IP addresses, each with or without a port; an empty one asks for none."""
    return tuple(_each(variable, "", _checked_ip_address, "IP addresses, with or without a port, such as 192.0.2.1:53"))


def listen(variable: str, default: str, *, unix: bool = True) -> tuple[str, ...]:
    """Return a comma-separated list of addresses to listen on; an empty one switches the listener off."""
    check, form = (_checked_address, ADDRESS_FORM) if unix else (_checked_tcp_address, TCP_FORM)
    return tuple(_each(variable, default, check, f"{form}, several by commas, or empty"))


def port(variable: str, default: int | None) -> int | None:
    """Return the port that clients connect to; None if the variable is empty, or not set and without a default."""
    value = os.environ.get(variable)
    if value is None:
        return default
    return integer(variable, 0, least=1, most=65535) if value.strip() else None


def first_port(listening: tuple[str, ...]) -> int | None:
    """Return the first port of these addresses; None if there is none but unix sockets."""
    return next((int(item.rpartition(":")[2]) for item in listening if not item.startswith("unix:")), None)


def _each(variable: str, default: str, check: Callable[[str], str], allowed: str) -> list[str]:
    items = []
    for item in _items(variable, default):
        try:
            items.append(check(item))
        except ValueError as error:
            raise bad(variable, item, allowed) from error
    return items


def _in_form(item: str, form: re.Pattern[str]) -> str:
    if not form.fullmatch(item):
        raise ValueError(item)
    return item


def _checked_address(item: str) -> str:
    if item.startswith("unix:"):
        if not item.removeprefix("unix:").startswith("/"):
            raise ValueError(item)
        return item
    return _checked_tcp_address(item)


def _checked_tcp_address(item: str) -> str:
    host, colon, port = item.rpartition(":")
    if not (colon and host and port.isascii() and port.isdigit() and int(port) < 65536):
        raise ValueError(item)
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        raise ValueError(item)
    return item


def _checked_ip_address(item: str) -> str:
    """Return the item if it is an IP address, with or without a port."""
    try:
        ipaddress.ip_address(item)
    except ValueError:
        ipaddress.ip_address(_checked_tcp_address(item).rpartition(":")[0].strip("[]"))
    return item
