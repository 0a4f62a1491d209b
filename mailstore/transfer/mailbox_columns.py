"""The columns of a file of mailboxes: their headings and what each means. `file_columns` finds them in a file.

A column with another heading is left out, such as the state in our own exports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from mailstore.directory import existing_password, imported_hash
from mailstore.directory.fields.field import Surface
from mailstore.directory.fields.mailbox import MAILBOX
from mailstore.models import Mailbox
from mailstore.transfer import cell as cell_values


@dataclass(frozen=True, slots=True)
class Column:
    """What a column may hold.

    `heading` is its own in an export. `label` and `names`, in lower case, are those by which an import knows it. `read`
    turns a cell into the value.
    """

    field: str
    label: Promise
    heading: Promise
    names: tuple[str, ...]
    read: Callable[[str], Any]


def _columns() -> Iterator[Column]:
    """Yield the fields that files have, with the address and the password, which are not in the table."""
    yield Column(ADDRESS, gettext_lazy("address"), gettext_lazy("Address"), ADDRESS_HEADINGS, str)
    yield Column(LOCAL_PART, gettext_lazy("name before the @"), gettext_lazy("Name before the @"), _LOCAL_HEADINGS, str)
    yield Column(DOMAIN_NAME, gettext_lazy("domain"), gettext_lazy("Domain"), (DOMAIN_NAME, "domaine"), str)
    for field in MAILBOX.on(Surface.FILE):
        yield Column(field.name, field.label, field.heading, field.file_headings, partial(cell_values.read, field))
        if field.name == "name":
            yield Column(
                PASSWORD,
                gettext_lazy("password"),
                gettext_lazy("Password"),
                _PASSWORD_HEADINGS,
                existing_password.of_cell,
            )
            yield Column(
                PASSWORD_HASH,
                gettext_lazy("password hash"),
                gettext_lazy("Password hash"),
                (PASSWORD_HASH, "password hash", "passwordhash", "hash", "hashed_password", "crypt"),
                existing_password.of_hash,
            )
    yield Column(
        ACTIVE,
        gettext_lazy("active, the opposite of suspended"),
        gettext_lazy("Active"),
        (ACTIVE, "enabled"),
        cell_values.read_switch,
    )


LOCAL_PART, DOMAIN_NAME, ACTIVE = "local_part", "domain", "active"  # other programs have them, our exports do not
ADDRESS, PASSWORD, PASSWORD_HASH = "address", "password", "password_hash"
_LOCAL_HEADINGS = (LOCAL_PART, "local part", "localpart")
SECRETS = (PASSWORD, PASSWORD_HASH)  # never shown, and in no export of the pages
NOT_EXPORTED = (*SECRETS, LOCAL_PART, DOMAIN_NAME, ACTIVE)
ADDRESS_HEADINGS = (ADDRESS, "adresse", "email", "e-mail", "mailbox", "username")
_PASSWORD_HEADINGS = (PASSWORD, "mot de passe", "passwd", "pwd", "mdp")
COLUMNS = {column.field: column for column in _columns()}


def cell(field: str, mailbox: Mailbox) -> object:
    """Return the cell of an export. Imported again, it changes nothing."""
    if field == ADDRESS:
        return mailbox.user.address
    if field == PASSWORD_HASH:
        return imported_hash.exported(mailbox.user.password) or ""
    known = MAILBOX[field]
    return cell_values.write(known, known.value(mailbox))
