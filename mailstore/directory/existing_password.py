"""Passwords that users had on another server: as hashes, or in plain text. The rules for new passwords spare them."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.password_validation import get_default_password_validators
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy

from mailstore.directory.outcome import Rejected
from mailstore.directory.password_hasher import Argon2
from mailstore.models import User
from mailstore.policy import foreign_hash, hash_form
from mailstore.policy.foreign_hash import BadHash, Flaw

_OWN_FORM = f"$argon2id$v=19$m={Argon2.memory_cost},t={Argon2.time_cost},p={Argon2.parallelism}$"
_WAYS_OUT = gettext_lazy("take it in another scheme from the old server, or give the user a new password")
_SENTENCES = {
    Flaw.NO_HASH: gettext_lazy(
        "This is not a password hash that is known: write it as {SCHEME}hash, or as $6$…, $2y$… or $argon2id$…."
    ),
    Flaw.UNSUPPORTED: gettext_lazy("No password can be checked against a hash of the scheme %(scheme)s: %(ways)s."),
    Flaw.MALFORMED: gettext_lazy("This hash is incomplete, or is not of the scheme %(scheme)s: copy it again."),
    Flaw.TOO_DEAR: gettext_lazy(
        "This hash (%(scheme)s) takes so long to check that it would hold up the sign-ins of others: %(ways)s."
    ),
    Flaw.LOCKED: gettext_lazy(
        "This hash (%(scheme)s) is locked by the sign in front of it: remove the sign, and suspend the mailbox."
    ),
}


@dataclass(frozen=True, slots=True)
class ExistingPassword:
    """A password that exists. `encoded` is its hash as it is stored; None where the password itself is known."""

    plain: str
    encoded: str | None = None


def of_hash(text: str) -> ExistingPassword:
    """Read a hash as other servers write it. Rejected, in words, for one that cannot be used.

    `{PLAIN}secret` is no hash: the password is known, and is hashed at once.
    """
    try:
        found = foreign_hash.parse(text)
    except BadHash as error:
        raise Rejected(
            _SENTENCES[error.flaw] % {"scheme": error.scheme, "ways": _WAYS_OUT}, field="password"
        ) from error
    if found.scheme == foreign_hash.PLAIN:
        return ExistingPassword(found.value)
    if found.scheme == "ARGON2ID" and found.value.startswith(_OWN_FORM):
        return ExistingPassword("", f"{Argon2.algorithm}{found.value}")
    return ExistingPassword("", found.stored)


def of_cell(text: str) -> str | ExistingPassword:
    """Read a password in a file. A text in the form of a hash is the hash, never the password."""
    return text if hash_form.scheme_of(text) is None else of_hash(text)


def is_weak(password: ExistingPassword, user: User) -> bool:
    """Return whether a new password like this would be refused. Nobody knows it of a hash, which counts as good.

    Rejected where a rule holds for every password: it looks like a hash, or mail programs cannot send it.
    """
    if password.encoded is not None:
        return False
    weak = False
    for validator in get_default_password_validators():
        try:
            validator.validate(password.plain, user)
        except ValidationError as error:
            if getattr(validator, "holds_for_existing", False):
                raise Rejected(" ".join(error.messages), field="password") from error
            weak = True
    return weak
