"""Generate new passwords, check them against the site's rules, hash them and set them on users."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailstore.directory import bulk_sql, existing_password, imported_hash, password_hasher
from mailstore.directory.existing_password import ExistingPassword
from mailstore.directory.outcome import Rejected
from mailstore.models import Mailbox, User
from mailstore.policy import hash_form

CORES = os.cpu_count() or 1
Item = TypeVar("Item")
Made = TypeVar("Made")

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # no two of them look alike in print or on a screen
FIELDS = ("password", "previous_password", "password_changed_at")  # the columns of User that a new password changes
_HASH = gettext_lazy(
    "This looks like a password hash (%(scheme)s), not like a password: type the password itself, or choose a new one."
)
GROUPS, GROUP_CHARACTERS = 4, 4  # 79 bits, in pieces short enough to read out


def generate() -> str:
    """Return a new password such as `k7mq-x2ra-hh9d-w3tc`."""
    return "-".join("".join(secrets.choice(ALPHABET) for _n in range(GROUP_CHARACTERS)) for _g in range(GROUPS))


class NoHash:
    """Django validator that refuses a password hash as a password.

    Anybody who has read the hash in an old database could sign in with it. Pages, files and the shell all check new
    passwords by the site's validators.
    """

    holds_for_existing = True

    def validate(self, password: str, _user: User | None = None) -> None:
        scheme = hash_form.scheme_of(password)
        if scheme is not None:
            raise ValidationError(_HASH, "hash", {"scheme": scheme})

    def get_help_text(self) -> str:
        return _("Your password must not look like a password hash.")


class NoBlanksAround:
    """Django validator that refuses blanks before and behind a password: people and programs drop them unseen."""

    def validate(self, password: str, _user: User | None = None) -> None:
        if password != password.strip():
            raise ValidationError(_("The password begins or ends with a blank: remove it."), "blank")

    def get_help_text(self) -> str:
        return _("Your password must not begin or end with a blank.")


def refuse_hash(password: str) -> None:
    """Refuse a text in the form of a hash, before it is compared with the present password."""
    try:
        NoHash().validate(password)
    except ValidationError as error:
        raise Rejected(" ".join(error.messages), field="password") from error


def check(password: str | ExistingPassword, user: User) -> bool:
    """Check a password against the site's rules. Rejected says which it breaks.

    Return True for a password that existed elsewhere and is too weak for a new one.
    """
    if isinstance(password, ExistingPassword):
        return existing_password.is_weak(password, user)
    refuse_hash(password)
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Rejected(" ".join(error.messages), field="password") from error
    return False


@dataclass(frozen=True, slots=True)
class New:
    """A password, and whether `generate` made it: then a cheaper hash is enough.

    `encoded` is the hash where another server made it. Then nobody knows the password.
    """

    password: str
    generated: bool = False
    encoded: str | None = None

    @classmethod
    def of(cls, password: str | ExistingPassword) -> New:
        if isinstance(password, str):
            return cls(password)
        return cls(password.plain, encoded=password.encoded)

    def is_behind(self, stored: str) -> bool:
        """Return whether this is the password of a stored hash. It takes a slow hash, unless this is a hash too."""
        if self.encoded is None:
            return check_password(self.password, stored)
        return imported_hash.exported(self.encoded) == imported_hash.exported(stored)


def hashed(passwords: Sequence[New]) -> list[str]:
    """Return the hashes of the passwords, made on all cores. Called before rows are locked."""
    return _on_all_cores(_hash, passwords)


def set_hash(user: User, encoded: str) -> None:
    """Set this hash as the password of the user. The caller saves FIELDS.

    The old hash is kept apart, so that a device that still sends the old password is recognised.
    """
    user.previous_password = user.password if user.has_usable_password() else ""
    user.password_changed_at = timezone.now()
    user.password = encoded


def put(user: User, password: str) -> None:
    """Hash a password and set it on the user. The caller saves FIELDS."""
    set_hash(user, *hashed([New(password)]))


def put_generated(user: User, secret: str) -> None:
    """Do the same for a password that `generate` made."""
    set_hash(user, *hashed([New(secret, generated=True)]))


def match(pairs: Sequence[tuple[New, str]]) -> list[bool]:
    """Return for each pair of password and stored hash whether they match, by slow hashes on all cores."""
    return _on_all_cores(lambda pair: pair[0].is_behind(pair[1]), pairs)


@dataclass(frozen=True, slots=True)
class BatchHashes:
    """The hashes for a batch of mailboxes, by address, and what was stored when they were made.

    They are slow, so they are made before any row is locked.
    """

    stored: Mapping[str, str]  # the hash of each mailbox that was there
    same: Collection[str]  # mailboxes that have the wanted password already
    new: Mapping[str, New]  # the passwords that the others get, chosen or generated
    made: Mapping[str, str]  # the hashes of these; empty in a check
    generates: bool

    @classmethod
    def make(
        cls,
        passwords: Mapping[str, str | ExistingPassword | None],
        *,
        only_new: bool | None,
        generates: bool,
        kept: bool,
    ) -> BatchHashes:
        """Hash the passwords, by address; None where none was chosen. Called outside of a transaction.

        `only_new` True is for new mailboxes alone, False for those that are there, None for both. With `generates`, a
        new mailbox for which no password was chosen gets a generated one. Without `kept`, nothing is hashed.
        """
        found = Mailbox.objects.filter(user__in=bulk_sql.user_ids([*passwords]))
        stored = dict(found.values_list("user__address", "user__password"))
        chosen = {
            address: New.of(password)
            for address, password in passwords.items()
            if password is not None and only_new in (None, address not in stored)
        }
        there = [address for address in chosen if address in stored]
        matches = match([(chosen[address], stored[address]) for address in there])
        same = {address for address, match in zip(there, matches, strict=True) if match}
        new = {address: password for address, password in chosen.items() if address not in same}
        if generates and only_new is not False:
            missing = [address for address, password in passwords.items() if password is None and address not in stored]
            new |= {address: New(generate(), generated=True) for address in missing}
        made = dict(zip(new, hashed([*new.values()]), strict=True)) if kept else {}
        return cls(stored, same, new, made, generates)

    def stale(self, mailboxes: Iterable[Mailbox]) -> bool:
        """Return whether a mailbox was made, removed or given another password since the hashes were made."""
        return {box.user.address: box.user.password for box in mailboxes} != self.stored

    def of(self, address: str) -> str:
        """Return the hash for an address; empty in a check."""
        return self.made.get(address, "")


def _hash(new: New) -> str:
    if new.encoded is not None:
        return new.encoded
    if new.generated:
        hasher = password_hasher.Argon2Generated()
        return hasher.encode(new.password, hasher.salt())
    return make_password(new.password)


def _on_all_cores(work: Callable[[Item], Made], items: Sequence[Item]) -> list[Made]:
    """Call `work`, which makes one slow hash and uses no SQL, for each item. Threads help: argon2 releases the lock."""
    if len(items) < 2:
        return [work(item) for item in items]
    with ThreadPoolExecutor(CORES) as pool:
        return list(pool.map(work, items))
