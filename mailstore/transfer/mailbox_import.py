"""Rosters: mailboxes from a file, made and changed as all others are, in steps that can be resumed.

The check is the run itself, rolled back: a row's fate is what the same code says of it, under the same locks.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from mailstore.directory import audit, bulk_sql, domain_caps, new_password
from mailstore.directory.audit import Actor
from mailstore.directory.new_password import New
from mailstore.directory.outcome import Rejected
from mailstore.models import RetentionPolicy, Roster, RosterRow, User
from mailstore.transfer import alias_file, csv_table, mailbox_columns
from mailstore.transfer.mailbox_import_step import RosterTurn, empty

STEP_ROWS = 500  # one transaction, about half a second: locks of domains are held no longer
NAME_CHARACTERS = 255
FIRST_LINE = 1  # the rows below have ended later

Mode, Stage, Fate = Roster.Mode, Roster.Stage, RosterRow.Fate


def bring_in(octets: bytes, file_name: str, *, owner: User | None) -> Roster:
    """Keep a file's rows, with the meaning its columns had the last time or seem to have. Rejected for a bad file."""
    sheet = csv_table.read(octets, refuse=alias_file.refuse)
    if not sheet.rows:
        raise Rejected(_("the file has no rows below its first line"))
    header = list(sheet.header)
    with transaction.atomic():
        meaning = _last_meaning(owner, header) or mailbox_columns.guess(header, sheet.rows[0].cells)
        roster = Roster.objects.create(
            owner=owner, file_name=file_name[-NAME_CHARACTERS:], header=header, meaning=meaning
        )
        RosterRow.objects.bulk_create(
            (RosterRow(roster=roster, line=row.line, cells=list(row.cells)) for row in sheet.rows), batch_size=1000
        )
    return roster


def turn_first_line(roster: Roster) -> None:
    """Take the first line for data if it was taken for the names of the columns, and the other way round.

    Rejected after rows were imported, for names that no column can have, and for a file that then is one of aliases.
    """
    with transaction.atomic():
        row = _before_the_run(roster)
        if any(row.header):
            RosterRow.objects.create(roster=row, line=FIRST_LINE, cells=row.header)
            row.header = [""] * len(row.header)
        else:
            line = _rows(row).order_by("line")[0]
            csv_table.check_header(line.cells)
            row.header = line.cells
            line.delete()
        sheet = _sheet(row)
        if not sheet.rows:
            raise Rejected(_("the file has no rows below its first line"))
        alias_file.refuse(sheet)
        row.meaning, row.stage = mailbox_columns.guess(row.header, sheet.rows[0].cells), Stage.COLUMNS
        row.save(update_fields=["header", "meaning", "stage"])


def choose(roster: Roster, meaning: Sequence[str], mode: str) -> None:
    """Fix what the columns hold and what is done; the check begins anew. Rejected once rows were carried out."""
    mailbox_columns.check(meaning, len(roster.header))
    if mode not in Mode.values:
        raise Rejected(_("choose what to do with the rows"))
    with transaction.atomic():
        row = _before_the_run(roster)
        row.meaning, row.mode, row.stage = list(meaning), mode, Stage.CHECKING
        row.save(update_fields=["meaning", "mode", "stage"])
        RosterRow.objects.filter(roster=row).update(fate=Fate.UNKNOWN, column="", detail="", address="")


def start(roster: Roster) -> None:
    """Begin to carry out what was checked. Rejected while it is not, and when no row would do anything.

    No wrong row is read again from here on, so its cells are forgotten.
    """
    with transaction.atomic():
        row = _locked(roster)
        if row.stage != Stage.CHECKED:
            raise Rejected(_("the rows have not been checked yet"))
        if not _rows(row).filter(fate__in=(Fate.CREATE, Fate.CHANGE)).exists():
            raise Rejected(_("no row would change anything"))
        empty(_rows(row).filter(fate=Fate.WRONG), len(row.header))
        row.stage = Stage.RUNNING
        row.save(update_fields=["stage"])


def step(roster: Roster, *, actor: Actor, domains: Collection[str] | None, policies: QuerySet[RetentionPolicy]) -> bool:
    """Take the next rows through the stage the roster is in; returns whether rows are left.

    `domains` are those the actor may change (None: all), `policies` those he may choose; others do not exist.
    Safe to call from several places: the roster's row is locked.
    """
    with transaction.atomic():
        row = _locked(roster)
        if row.stage not in (Stage.CHECKING, Stage.RUNNING):
            return False
        keep = row.stage == Stage.RUNNING
        waiting = _rows(row).filter(**({"done": False} if keep else {"fate": Fate.UNKNOWN})).exclude(fate=Fate.WRONG)
        turn = RosterTurn(
            row, list(waiting.order_by("line")[:STEP_ROWS]), actor=actor, domains=domains, policies=policies
        )
        turn.take(keep=keep)
        left = waiting.exists()
        if not left:
            row.stage = Stage.CHECKED if row.stage == Stage.CHECKING else Stage.DONE
            row.save(update_fields=["stage"])
            _record_end(row, actor)
    return left


def counts(roster: Roster) -> dict[str, int]:
    """How many rows have each fate, how many there are, are done, and have a password due."""
    fates = {fate.name.lower(): Count("pk", filter=Q(fate=fate)) for fate in Fate}
    found: dict[str, int] = _rows(roster).aggregate(
        rows=Count("pk"), done=Count("pk", filter=Q(done=True)), due=Count("pk", filter=Q(password_due=True)), **fates
    )
    return found


def hand_out(roster: Roster, *, actor: Actor, domains: Collection[str] | None) -> list[tuple[str, str]]:
    """Generate the passwords that are due, give them to the mailboxes and return them with the addresses: once.

    Nothing keeps them. Whoever got a password by another way meanwhile is left as he is, and so is whoever
    has come to administer a domain that the actor does not.
    """
    with transaction.atomic():
        rows = list(_rows(_locked(roster)).filter(password_due=True).order_by("line"))
        users = _users_without_password([row.address for row in rows], domains)
        beyond = domain_caps.out_of_reach(users, actor=actor)
        users = [user for user in users if user.pk not in beyond]
        given = [New(new_password.generate(), generated=True) for _user in users]
        for user, encoded in zip(users, new_password.hashed(given), strict=True):
            new_password.set_hash(user, encoded)
            user.must_change_password = True  # whoever has the file has seen it
        bulk_sql.update(users, (*new_password.FIELDS, "must_change_password"))
        _rows(roster).filter(password_due=True).update(password_due=False)
        if given:
            audit.record(actor, "roster.passwords", roster.file_name, mailboxes=len(given))
    return [(user.address, new.password) for user, new in zip(users, given, strict=True)]


def _last_meaning(owner: User | None, header: list[str]) -> list[str] | None:
    """What this person took the same columns for the last time."""
    last = Roster.objects.filter(owner=owner, header=header).exclude(stage=Stage.COLUMNS).order_by("-created_at")
    return last.values_list("meaning", flat=True).first() if owner else None


def _before_the_run(roster: Roster) -> Roster:
    row = _locked(roster)
    if row.stage in (Stage.RUNNING, Stage.DONE):
        raise Rejected(_("this file has already been imported: upload it again"))
    return row


def _locked(roster: Roster) -> Roster:
    return Roster.objects.select_for_update().get(pk=roster.pk)


def _rows(roster: Roster) -> QuerySet[RosterRow]:
    return RosterRow.objects.filter(roster=roster)


def _sheet(roster: Roster) -> csv_table.Sheet:
    """Return the table of the file with its header as it is now."""
    rows = _rows(roster).order_by("line").values_list("line", "cells")
    return csv_table.Sheet(tuple(roster.header), tuple(csv_table.Row(line, tuple(cells)) for line, cells in rows))


def _users_without_password(addresses: Sequence[str], domains: Collection[str] | None) -> list[User]:
    users = User.objects.filter(address__in=bulk_sql.among(addresses), password__startswith=UNUSABLE_PASSWORD_PREFIX)
    if domains is not None:
        users = users.filter(mailbox__domain__name__in=domains)
    return list(users.select_for_update(of=("self",)).order_by("address"))


def _record_end(roster: Roster, actor: Actor) -> None:
    """One entry for the whole; each mailbox has its own beside it."""
    if roster.stage == Stage.DONE:
        told = counts(roster)
        audit.record(
            actor, "roster.done", roster.file_name, created=told["create"], changed=told["change"], wrong=told["wrong"]
        )
