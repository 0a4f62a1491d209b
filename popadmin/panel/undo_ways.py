"""How operations are taken back, and why others cannot be: the state of each row is looked up once for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from mailstore.directory import aliases, rename_undo
from mailstore.models import Alias, AuditEntry, Domain, DomainGrant, Job, Mailbox, MailboxMove, User
from mailstore.transfer import mailbox_import_undo
from popadmin.panel import access, change_undo, newest_entries
from popadmin.panel.newest_entries import Newest
from popadmin.web import people

# Of these a way takes back one field, the first that changed.
_ONE_FIELD = {"admin.change": ["suspended"], "domain.change": ["active", "policy"]}
_FOR_THEMSELVES = {"mailbox_import.done"}  # each of its rows says whether it was changed since


@dataclass(frozen=True, slots=True)
class Way:
    """How to take it back: a POST to `url` with `field`, with `asks` a link to a page with a preview; else `why`."""

    why: str = ""
    label: str = ""
    url: str = ""
    field: tuple[str, str] | None = None
    asks: bool = False


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of the entries as they are now, as far as the user may act on them."""

    host: bool
    mailboxes: dict[int, Mailbox]
    refusals: dict[int, str]  # of changes of mailboxes
    imports: dict[int, bool]  # whether an import of the user has changes that are not undone
    domains: dict[int, Domain]
    in_use: frozenset[int]  # removals of aliases whose address is one again
    admins: dict[str, User]
    policies: dict[str, int]
    grants: frozenset[tuple[str, int]]  # who administers which domain
    moves: frozenset[int]  # mailboxes that move from an old server


def of_job(job: Job, sums: Mapping[str, int], mine: bool) -> Way:
    """Return how a job is undone. `sums` counts its rows."""
    if job.stage == Job.Stage.UNDONE:
        return Way(_("already undone"))
    if not mine:
        return Way(_("only %(login)s can undo it") % {"login": job.owner.address})
    if job.stage != Job.Stage.DONE:
        return Way(label=_("Continue…"), url=reverse("mailboxes-results", args=[job.pk]), asks=True)
    if not sums["undoable"]:
        return Way(_("it changed nothing"))
    return Way(label=_("Undo"), url=reverse("mailboxes-results-undo", args=[job.pk]))


def of_entries(entries: Sequence[AuditEntry], user: User) -> dict[int, Way]:
    """Return how each is undone, by its key: of acts on one row only the newest is, whether it is among them or not."""
    newest = newest_entries.of(entries)
    rows, ways = _rows(entries, user, newest), {}
    for entry in entries:
        way = _WAYS[entry.verb](entry, rows)
        past = way.url and entry.verb not in _FOR_THEMSELVES and newest.is_past(entry, fields=_fields(entry))
        ways[entry.pk] = Way(_("something newer was done to it")) if past else way
    return ways


def suspends(entry: AuditEntry) -> bool:
    """Return whether an entry of a change suspends its subject; False if it resumes it."""
    changes = entry.details["changes"]
    return bool(changes["suspended"][1]) if "suspended" in changes else not changes["active"][1]


def _fields(entry: AuditEntry) -> list[str] | None:
    """Return the fields that its way takes back; None if it takes back the whole act."""
    changes = entry.details.get("changes", {})
    if entry.verb == change_undo.VERB:
        return ["policy"] if "policy" in changes else [*changes]
    return _ONE_FIELD.get(entry.verb) and [next(name for name in _ONE_FIELD[entry.verb] if name in changes)]


def _rows(entries: Sequence[AuditEntry], user: User, newest: Newest) -> _Rows:
    persons = {entry.subject for entry in entries if entry.verb == "admin.change"}
    host = people.is_host(user)
    domains = Domain.objects.filter(pk__in=_keys(entry.domain_id for entry in entries))
    mailboxes = access.mailboxes(user, removed=True).in_bulk(_keys(entry.mailbox_id for entry in entries))
    mine = (domains if host else domains.filter(grants__user=user)).in_bulk()
    return _Rows(
        host,
        mailboxes,
        change_undo.refusals(entries, mailboxes, user, newest),
        _imports(entries, user),
        mine,
        _addresses_in_use(entries, mine, mailboxes),
        {row.address: row for row in access.admins(user).filter(address__in=persons)},
        dict(access.policies(user).values_list("name", "pk")),
        _grants(entries),
        _moves(entries),
    )


def _grants(entries: Sequence[AuditEntry]) -> frozenset[tuple[str, int]]:
    ended = [entry for entry in entries if entry.verb == "grant.remove"]
    rows = DomainGrant.objects.filter(user__address__in={entry.subject for entry in ended})
    return frozenset(rows.values_list("user__address", "domain")) if ended else frozenset()


def _moves(entries: Sequence[AuditEntry]) -> frozenset[int]:
    keys = _keys(entry.mailbox_id for entry in entries if entry.verb == "move.unmark")
    return frozenset(MailboxMove.objects.filter(mailbox__in=keys).values_list("mailbox", flat=True))


def _addresses_in_use(
    entries: Sequence[AuditEntry], domains: Mapping[int, Domain], mailboxes: Mapping[int, Mailbox]
) -> frozenset[int]:
    """Return the keys of those removals of aliases whose address, as it would be now, is one again."""
    addresses = {
        entry.pk: aliases.present_address(entry, domain, mailboxes.get(entry.mailbox_id or 0))
        for entry in entries
        if entry.verb == "alias.remove" and (domain := domains.get(entry.domain_id or 0))
    }
    there = set(Alias.objects.filter(address__in=addresses.values()).values_list("address", flat=True))
    return frozenset(key for key, address in addresses.items() if address in there)


def _imports(entries: Sequence[AuditEntry], user: User) -> dict[int, bool]:
    keys = _keys(entry.details.get("import") for entry in entries if entry.verb == "mailbox_import.done")
    there = set(access.mailbox_imports(user).filter(pk__in=keys).values_list("pk", flat=True))
    changed = mailbox_import_undo.with_changes(there)
    return {key: key in changed for key in there}


def _keys(keys: Iterable[int | None]) -> set[int]:
    return {key for key in keys if key is not None}


def _of_removed_mailbox(entry: AuditEntry, rows: _Rows) -> Way:
    mailbox = rows.mailboxes.get(entry.mailbox_id or 0)
    if mailbox is None or mailbox.purge_requested_at is not None:
        return Way(_("it no longer exists"))
    if mailbox.removed_at is None or mailbox.removed_at > entry.at:
        return Way(_("already restored"))
    if mailbox.removed_with_domain:
        return Way(_("its domain was removed: restore the domain"))
    return Way(label=_("Undo"), url=reverse("mailboxes-restoral", args=[mailbox.pk]))


def _of_removed_domain(entry: AuditEntry, rows: _Rows) -> Way:
    domain = rows.domains.get(entry.domain_id or 0)
    if domain is None or domain.purge_requested_at is not None:
        return Way(_("it no longer exists"))
    if domain.removed_at is None or domain.removed_at > entry.at:
        return Way(_("already restored"))
    if not rows.host:
        return Way(_("only a hosting admin can restore it"))
    return Way(label=_("Undo"), url=reverse("domains-restoral", args=[domain.pk]))


def _of_removed_alias(entry: AuditEntry, rows: _Rows) -> Way:
    if entry.pk in rows.in_use:
        return Way(_("the address is in use again"))
    domain = rows.domains.get(entry.domain_id or 0)
    if domain is None or domain.removed_at is not None:
        return Way(_("its domain was removed"))
    if "undo_data" not in entry.details:
        return Way(_("removed by an older version: create it again"))
    return Way(label=_("Undo"), url=reverse("aliases-restoral", args=[entry.pk]))


def _of_mailbox(entry: AuditEntry, rows: _Rows) -> Way:
    mailbox = rows.mailboxes.get(entry.mailbox_id or 0)
    if mailbox is None or mailbox.removed_at is not None:
        return Way(_("the mailbox was removed"))
    if "policy" in entry.details.get("changes", {}):
        return _policy(entry.details["changes"]["policy"], mailbox, rows)
    if rows.refusals[entry.pk]:
        return Way(rows.refusals[entry.pk])
    return Way(label=_("Undo"), url=reverse("mailboxes-change-undo", args=[mailbox.pk, entry.pk]))


def _of_renamed_domain(entry: AuditEntry, rows: _Rows) -> Way:
    domain = rows.domains.get(entry.domain_id or 0)
    if domain is None or domain.removed_at is not None:
        return Way(_("the domain was removed"))
    if not rows.host:
        return Way(_("only a hosting admin can undo it"))
    if why := rename_undo.domain_refusal(entry, domain):
        return Way(why)
    return Way(label=_("Undo"), url=reverse("domains-rename-undo", args=[domain.pk, entry.pk]))


def _of_domain(entry: AuditEntry, rows: _Rows) -> Way:
    domain = rows.domains.get(entry.domain_id or 0)
    if domain is None or domain.removed_at is not None:
        return Way(_("the domain was removed"))
    changes = entry.details["changes"]
    if "active" not in changes:
        return _policy(changes["policy"], domain, rows)
    if not rows.host:
        return Way(_("only a hosting admin can undo it"))
    return _suspension(entry, not domain.active, reverse("domains-suspension", args=[domain.pk]), "active")


def _of_admin(entry: AuditEntry, rows: _Rows) -> Way:
    admin = rows.admins.get(entry.subject)
    if admin is None:
        return Way(_("no longer an administrator"))
    return _suspension(entry, not admin.is_active, reverse("admins-suspension", args=[admin.pk]), "suspended")


def _of_ended_grant(entry: AuditEntry, rows: _Rows) -> Way:
    domain = rows.domains.get(entry.domain_id or 0)
    if domain is None or domain.removed_at is not None:
        return Way(_("the domain was removed"))
    if (entry.subject, domain.pk) in rows.grants:
        return Way(_("already undone"))
    if not rows.host:
        return Way(_("only a hosting admin can undo it"))
    return Way(label=_("Undo"), url=reverse("admins-grant-restoral", args=[entry.pk]))


def _of_ended_move(entry: AuditEntry, rows: _Rows) -> Way:
    mailbox = rows.mailboxes.get(entry.mailbox_id or 0)
    if mailbox is None or mailbox.removed_at is not None:
        return Way(_("the mailbox was removed"))
    if mailbox.pk in rows.moves:
        return Way(_("already undone"))
    if mailbox.domain_id != entry.domain_id or "undo_data" not in entry.details:
        return Way(_("mark the mailbox again"))
    return Way(label=_("Undo"), url=reverse("mailboxes-moves-restoral", args=[entry.pk]))


def _suspension(entry: AuditEntry, suspended_now: bool, url: str, field: str) -> Way:
    if suspends(entry) != suspended_now:
        return Way(_("already undone"))
    wanted = suspended_now if field == "active" else not suspended_now
    url = newest_entries.url_undoing(url, entry.pk)
    return Way(label=_("Undo"), url=url, field=(field, "yes" if wanted else "no"))


def _policy(change: Sequence[str | None], row: Mailbox | Domain, rows: _Rows) -> Way:
    """Return a link to the page that previews the old policy: to choose it again can remove mail."""
    old = change[0]
    if old is not None and old not in rows.policies:
        return Way(_("the earlier policy no longer exists"))
    wanted = {"of": str(row), **({} if old is None else {"policy": str(rows.policies[old])})}
    return Way(label=_("Change back…"), url=f"{reverse('policies-choice')}?{urlencode(wanted)}", asks=True)


def _of_import(entry: AuditEntry, rows: _Rows) -> Way:
    """Return a link to the page of the import, which undoes it in steps."""
    if not entry.details["created"] and not entry.details["changed"]:
        return Way(_("it changed nothing"))
    key = entry.details.get("import")
    if key not in rows.imports:
        return Way(_("its rows are kept for its owner alone, for a week"))
    if not rows.imports[key]:
        return Way(_("already undone"))
    return Way(label=_("Undo…"), url=reverse("mailboxes-import", args=[key]), asks=True)


def _of_undone_import(entry: AuditEntry, _rows: _Rows) -> Way:
    if not entry.details["mailboxes_removed"]:
        return Way(_("import the file again"))
    return Way(label=_("Restore…"), url=reverse("mailboxes-removed"), asks=True)


def _of_policy(entry: AuditEntry, rows: _Rows) -> Way:
    key = rows.policies.get(entry.subject)
    if key is None:
        return Way(_("it no longer exists"))
    if not rows.host:
        return Way(_("only a hosting admin can change it back"))
    url = f"{reverse('policies-edit', args=[key])}?{urlencode({'undoes': entry.pk})}"
    return Way(label=_("Change back…"), url=url, asks=True)


_WAYS: dict[str, Callable[[AuditEntry, _Rows], Way]] = {
    "admin.change": _of_admin,
    "admin.remove": lambda *_args: Way(_("create the administrator again")),
    "alias.remove": _of_removed_alias,
    "domain.change": _of_domain,
    "domain.purge-asked": lambda *_args: Way(_("what is deleted for good cannot be restored")),
    "domain.remove": _of_removed_domain,
    "domain.rename": _of_renamed_domain,
    "grant.remove": _of_ended_grant,
    "mailbox.change": _of_mailbox,
    "mailbox.purge-asked": lambda *_args: Way(_("what is deleted for good cannot be restored")),
    "mailbox.remove": _of_removed_mailbox,
    "mailbox.rename": _of_mailbox,
    "mailbox_import.done": _of_import,
    "mailbox_import.undone": _of_undone_import,
    "move.unmark": _of_ended_move,
    "policy.change": _of_policy,
    "policy.remove": lambda *_args: Way(_("create the policy again")),
}
