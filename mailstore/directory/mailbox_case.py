"""One mailbox of a batch, new or not: set its values in memory, and note what changed. `mailbox_batch` writes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from mailstore.directory import new_password
from mailstore.directory.existing_password import ExistingPassword
from mailstore.directory.fields.mailbox import MAILBOX, MailboxValues
from mailstore.directory.fields.policy import with_policy_since
from mailstore.directory.outcome import Changes, Ensured, details, set_values
from mailstore.models import Mailbox

_USER_FIELDS = {field.column_name: field for field in MAILBOX if field.holder == "user"}


@dataclass(slots=True)
class MailboxCase:
    """A mailbox that is not written yet. `changes` are by field; the two sets are the columns that changed.

    `secret` is the password that was generated for a new one.
    """

    mailbox: Mailbox
    created: bool
    changes: Changes = field(default_factory=dict)
    user_columns: set[str] = field(default_factory=set)
    mailbox_columns: set[str] = field(default_factory=set)
    secret: str | None = None

    def assign(self, values: MailboxValues) -> None:
        """Set each value on the row that has its column. Rejected for a value that the model does not allow."""
        rest = with_policy_since(self.mailbox, values)
        person = {
            column: each.from_column(rest.pop(each.name)) for column, each in _USER_FIELDS.items() if each.name in rest
        }
        of_user, of_mailbox = set_values(self.mailbox.user, person), set_values(self.mailbox, rest)
        self.user_columns |= of_user.keys()
        self.mailbox_columns |= of_mailbox.keys()
        self._restart_clocks(of_mailbox, chosen_anew="policy_since" in rest)
        self.changes |= {_USER_FIELDS[column].name: _values(column, pair) for column, pair in of_user.items()}
        self.changes |= of_mailbox

    def give_password(self, password: str | ExistingPassword, encoded: str) -> bool:
        """Let the user have a password of this hash. Rejected where it is against the rules.

        Return whether it is a password that existed and is too weak for a new one.
        """
        user, before = self.mailbox.user, self.mailbox.user.password_changed_at
        weak = new_password.check(password, user)
        new_password.set_hash(user, encoded)
        if not self.created:  # the change is recorded by its moment alone
            self.user_columns |= {*new_password.FIELDS}
            self.changes["password_changed_at"] = (before, user.password_changed_at)
        return weak

    def bars_main(self) -> bool:
        """Return True if the main password has just lost POP. Then mail that waited for it alone is removed."""
        return not self.created and self.changes.get("main_pop") == (True, False)

    def ensured(self) -> Ensured[Mailbox]:
        return Ensured(self.mailbox, self.created, self.changes, self.secret)

    def audited(self) -> dict[str, list[str | int | None]]:
        """Return the changes for the audit, which the owner may read: of private fields only the length."""
        lengths = {
            each.name: (len(old), len(new))
            for each in MAILBOX
            if each.private and each.name in self.changes
            for old, new in [self.changes[each.name]]
        }
        return details(self.changes | lengths)

    def _restart_clocks(self, changes: Changes, *, chosen_anew: bool) -> None:
        """Note when rules began to hold that could take mail which is there."""
        if changes.get("held") == (True, False) and not chosen_anew:
            self.mailbox.policy_since = timezone.now()  # what fell due during the hold does not go at once
            self.mailbox_columns.add("policy_since")
        if not self.created and _lowers_quota(changes):
            self.mailbox.quota_lowered_at = timezone.now()
            self.mailbox_columns.add("quota_lowered_at")


def _values(column: str, pair: tuple[Any, Any]) -> tuple[Any, Any]:
    old, new = pair
    return _USER_FIELDS[column].from_column(old), _USER_FIELDS[column].from_column(new)


def _lowers_quota(changes: Changes) -> bool:
    was, quota = changes.get("quota_octets", (None, None))
    return quota is not None and (was is None or quota < was)
