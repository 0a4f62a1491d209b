"""The slow hashes of a batch of mailboxes, made before anything is locked; `mailbox_batch` says who gets them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from mailstore.directory import bulk_sql, new_password
from mailstore.directory.new_password import New
from mailstore.models import Mailbox


@dataclass(frozen=True, slots=True)
class Hashes:
    """By address, of the mailboxes that were there then."""

    stored: Mapping[str, str]  # their hashes
    same: Collection[str]  # who has the wanted password already
    new: Mapping[str, New]  # what others get, chosen or generated
    made: Mapping[str, str]  # the hashes of these; none where nothing is kept
    generates: bool

    @classmethod
    def make(cls, asked: Mapping[str, str | None], *, only_new: bool | None, generates: bool, kept: bool) -> Hashes:
        """Make those of the passwords that are `asked` for (None: none was chosen), for new mailboxes, others or both.

        With `generates`, a new mailbox for which none was chosen gets one that is made up.
        """
        found = Mailbox.objects.filter(user__address__in=bulk_sql.among([*asked]))
        stored = dict(found.values_list("user__address", "user__password"))
        chosen = {
            address: password
            for address, password in asked.items()
            if password is not None and only_new in (None, address not in stored)
        }
        there = [address for address in chosen if address in stored]
        fits = new_password.fit([(chosen[address], stored[address]) for address in there])
        same = {address for address, fit in zip(there, fits, strict=True) if fit}
        new = {address: New(password) for address, password in chosen.items() if address not in same}
        if generates and only_new is not False:
            missing = [address for address, password in asked.items() if password is None and address not in stored]
            new |= {address: New(new_password.generate(), generated=True) for address in missing}
        made = dict(zip(new, new_password.hashed([*new.values()]), strict=True)) if kept else {}
        return cls(stored, same, new, made, generates)

    def stale(self, mailboxes: Iterable[Mailbox]) -> bool:
        """Whether a mailbox came, went or got another password since they were made."""
        return {box.user.address: box.user.password for box in mailboxes} != self.stored

    def of(self, address: str) -> str:
        return self.made.get(address, "")
