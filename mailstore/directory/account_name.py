"""Which account a name opens, for the pages: the rules of POP3 (`sql/opened_account.py`) on Django's connection."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from mailstore.directory.mailbox_reach import Reach
from mailstore.models import Mailbox
from mailstore.sql.opened_account import names_mailbox, opened_user

_OWN_ADDRESS = f"""
SELECT u.address
  FROM unnest(%(names)s::text[]) WITH ORDINALITY AS typed (name, place)
  JOIN mailstore_user u ON u.id = {opened_user("typed.name")}
 ORDER BY typed.place LIMIT 1
"""
_OPENING = f"""
SELECT typed.name FROM unnest(%(names)s::text[]) WITH ORDINALITY AS typed (name, place)
 WHERE {opened_user("typed.name")} = %(user)s ORDER BY typed.place
"""


def own_address(names: Sequence[str]) -> str | None:
    """Return the address under which an account is stored: of the first name that opens one. None if none does.

    Each name is in normal form. It is one query, whether or not the account exists.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OWN_ADDRESS, {"names": list(names)})
        row = cursor.fetchone()
    return None if row is None else str(row[0])


def is_local_part(name: str) -> bool:
    """Return whether a mailbox in any domain has this local part, so that the bare name is no guess. One query."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {names_mailbox('%(name)s')}", {"name": name})
        (found,) = cursor.fetchone()
    return bool(found)


def of_mailbox(mailbox: Mailbox, reach: Reach) -> list[str]:
    """Return the names by which its owner may sign in: of the addresses that lead to it, those that open it."""
    local_part = mailbox.user.address.rpartition("@")[0]
    standing = [f"{local_part}@{domain.name}" for domain in reach.domains]
    names = [mailbox.user.address, *standing, *(alias.address for alias in reach.aliases)]
    with connection.cursor() as cursor:
        cursor.execute(_OPENING, {"names": names, "user": mailbox.user_id})
        return [str(name) for (name,) in cursor.fetchall()]
