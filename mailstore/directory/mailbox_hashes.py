"""Make the slow password hashes for a batch of mailboxes before any row is locked; `mailbox_batch` uses them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from mailstore.directory import bulk_sql, new_password
from mailstore.directory.new_password import New
from mailstore.models import Mailbox


@dataclass(frozen=True, slots=True)
class Hashes:
    """The hashes for a batch, by address, and what was stored when they were made."""

    stored: Mapping[str, str]  # the hash of each mailbox that was there
    same: Collection[str]  # mailboxes that have the wanted password already
    new: Mapping[str, New]  # the passwords that the others get, chosen or generated
    made: Mapping[str, str]  # the hashes of these; empty in a dry run
    generates: bool

    @classmethod
    def make(cls, passwords: Mapping[str, str | None], *, only_new: bool | None, generates: bool, kept: bool) -> Hashes:
        """Hash the passwords, by address; None where none was chosen. Called outside of a transaction.

        `only_new` True is for new mailboxes alone, False for those that are there, None for both. With `generates`, a
        new mailbox for which no password was chosen gets a generated one. Without `kept`, nothing is hashed.
        """
        found = Mailbox.objects.filter(user__address__in=bulk_sql.among([*passwords]))
        stored = dict(found.values_list("user__address", "user__password"))
        chosen = {
            address: password
            for address, password in passwords.items()
            if password is not None and only_new in (None, address not in stored)
        }
        there = [address for address in chosen if address in stored]
        matches = new_password.match([(chosen[address], stored[address]) for address in there])
        same = {address for address, match in zip(there, matches, strict=True) if match}
        new = {address: New(password) for address, password in chosen.items() if address not in same}
        if generates and only_new is not False:
            missing = [address for address, password in passwords.items() if password is None and address not in stored]
            new |= {address: New(new_password.generate(), generated=True) for address in missing}
        made = dict(zip(new, new_password.hashed([*new.values()]), strict=True)) if kept else {}
        return cls(stored, same, new, made, generates)

    def stale(self, mailboxes: Iterable[Mailbox]) -> bool:
        """Return whether a mailbox was made, removed or given another password since the hashes were made."""
        return {box.user.address: box.user.password for box in mailboxes} != self.stored

    def of(self, address: str) -> str:
        """Return the hash for an address; empty in a dry run."""
        return self.made.get(address, "")
