"""Give passwords to the new mailboxes of an import that have none, once."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import transaction
from django.db.models import QuerySet

from mailstore.directory import audit, bulk_sql, domain_caps, new_password
from mailstore.directory.audit import Actor
from mailstore.directory.new_password import New
from mailstore.models import MailboxImport, MailboxImportRow, MailboxMove, User


def hand_out(upload: MailboxImport, *, actor: Actor, domains: Collection[str] | None) -> list[tuple[str, str]]:
    """Generate passwords for the new mailboxes that have none, and return them with the addresses.

    They are stored nowhere else, so this works once. A user who got a password by another way keeps it. A user whose
    password is still at the old server gets none, nor does one who now administers a domain that the actor does not.
    """
    due = list(MailboxImportRow.objects.filter(mailbox_import=upload, password_due=True).order_by("line"))
    users = _without_password(due, domains)
    out_of_reach = domain_caps.out_of_reach(list(users), actor=actor)
    given = {user.pk: New(new_password.generate(), generated=True) for user in users if user.pk not in out_of_reach}
    # Thousands of slow hashes: nothing is locked meanwhile.
    hashes = dict(zip(given, new_password.hashed(list(given.values())), strict=True))
    with transaction.atomic():
        MailboxImport.objects.select_for_update().get(pk=upload.pk)
        still_due = list(MailboxImportRow.objects.filter(pk__in=[row.pk for row in due], password_due=True))
        locked = _without_password(still_due, domains).filter(pk__in=given).select_for_update(of=("self",))
        taken = list(locked.order_by("address"))
        for user in taken:
            new_password.set_hash(user, hashes[user.pk])
            user.must_change_password = True  # everybody who has the file has seen the password
        bulk_sql.update(taken, (*new_password.FIELDS, "must_change_password"))
        MailboxImportRow.objects.filter(pk__in=[row.pk for row in still_due]).update(password_due=False)
        if taken:
            by = actor.within("import", upload.pk)
            audit.record(by, "mailbox_import.passwords", upload.file_name, mailboxes=len(taken))
    return [(user.address, given[user.pk].password) for user in taken]


def _without_password(rows: Sequence[MailboxImportRow], domains: Collection[str] | None) -> QuerySet[User]:
    users = User.objects.filter(mailbox__in=[row.row_id for row in rows], password__startswith=UNUSABLE_PASSWORD_PREFIX)
    users = users.exclude(mailbox__in=MailboxMove.objects.exclude(state=MailboxMove.State.MOVED).values("mailbox"))
    return users if domains is None else users.filter(mailbox__domain__name__in=domains)
