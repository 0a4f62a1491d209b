"""Audit entries as text: what somebody did, and what changed. For the pages of administrators and of owners."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from mailstore.directory.fields.domain import ADMIN, ALIAS, DOMAIN
from mailstore.directory.fields.field import Kind
from mailstore.directory.fields.mailbox import DEVICE, MAILBOX
from mailstore.directory.fields.policy import POLICY
from mailstore.models import Alias, AuditEntry, Device, Domain, Mailbox, RetentionPolicy, User
from mailstore.policy.addresses import shown_name
from popadmin.web.formats import at, count, fill, size_or_none
from popadmin.web.moment_text import moment_in

Written = Callable[[datetime], str]
# Each verb that an action writes. A test compares this table with the code.
VERBS: dict[str, Promise] = {
    "account.name": gettext_lazy("changed the name of"),
    "account.recovery-address": gettext_lazy("changed the recovery address of"),
    "account.sessions": gettext_lazy("signed out browsers of"),
    "admin.change": gettext_lazy("changed the administrator"),
    "admin.create": gettext_lazy("created the administrator"),
    "admin.password": gettext_lazy("set the password of the administrator"),
    "admin.remove": gettext_lazy("removed the administrator"),
    "alias.change": gettext_lazy("changed the alias"),
    "alias.confirm": gettext_lazy("confirmed a target of the alias"),
    "alias.create": gettext_lazy("created the alias"),
    "alias.remove": gettext_lazy("removed the alias"),
    "alias.restore": gettext_lazy("restored the alias"),
    "denied": gettext_lazy("was denied access to"),
    "device.add": gettext_lazy("connected a device of"),
    "device.kind": gettext_lazy("changed the kind of a device of"),
    "device.mode": gettext_lazy("changed the mode of a device of"),
    "device.profile": gettext_lazy("fetched the profile for a device of"),
    "device.rename": gettext_lazy("renamed a device of"),
    "device.revoke": gettext_lazy("revoked a device of"),
    "device.send": gettext_lazy("changed the right to send of a device of"),
    "domain.change": gettext_lazy("changed the domain"),
    "domain.create": gettext_lazy("created the domain"),
    "domain.purge-asked": gettext_lazy("asked to delete for good the domain"),
    "domain.purge": gettext_lazy("deleted for good the domain"),
    "domain.remove": gettext_lazy("removed the domain"),
    "domain.rename": gettext_lazy("renamed the domain"),
    "domain.restore": gettext_lazy("restored the domain"),
    "grant.create": gettext_lazy("added an admin of the domain"),
    "grant.remove": gettext_lazy("removed an admin of the domain"),
    "language.change": gettext_lazy("changed the language of"),
    "mailbox.adopt": gettext_lazy("recovered stored messages of"),
    "mailbox.change": gettext_lazy("changed the mailbox"),
    "mailbox.create": gettext_lazy("created the mailbox"),
    "mailbox.export": gettext_lazy("exported the mail of"),
    "mailbox.hashes": gettext_lazy("exported the password hashes of"),
    "mailbox.import": gettext_lazy("imported mail into"),
    "mailbox.invite": gettext_lazy("mailed a link to choose a password to"),
    "mailbox.letter": gettext_lazy("made a letter with a link to choose a password for"),
    "mailbox.leave": gettext_lazy("moved to another domain the mailbox"),
    "mailbox.password": gettext_lazy("set the password of"),
    "mailbox.purge-asked": gettext_lazy("asked to delete for good the mailbox"),
    "mailbox.purge": gettext_lazy("deleted for good the mailbox"),
    "mailbox.remove": gettext_lazy("removed the mailbox"),
    "mailbox.rename": gettext_lazy("moved here from another domain the mailbox"),
    "mailbox.restore": gettext_lazy("restored the mailbox"),
    "mailbox_import.done": gettext_lazy("imported the file"),
    "mailbox_import.passwords": gettext_lazy("downloaded the passwords of"),
    "mailbox_import.undone": gettext_lazy("undid the import of the file"),
    "move.again": gettext_lazy("had what came since pulled from the old server of"),
    "move.mark": gettext_lazy("marked as still at its old server the mailbox"),
    "move.restore": gettext_lazy("took up again the move from the old server of"),
    "move.unmark": gettext_lazy("ended the move from the old server of"),
    "password.change": gettext_lazy("changed the password of"),
    "password.reset": gettext_lazy("used a mailed link to reset the password of"),
    "policy.change": gettext_lazy("changed the retention policy"),
    "policy.create": gettext_lazy("created the retention policy"),
    "policy.remove": gettext_lazy("deleted the retention policy"),
    "recovery.purge": gettext_lazy("deleted mail for good from recovery of"),
    "recovery.remove": gettext_lazy("removed mail of"),
    "recovery.restore": gettext_lazy("restored mail of"),
    "site.mta-setup": gettext_lazy("set up the mail server"),
    "site.mta-undo": gettext_lazy("took back the setup of the mail server"),
    "site.seed": gettext_lazy("created a sample site from"),
}
# Verbs with one of their facts, which is then none of the details.
_NAMING: dict[str, tuple[str, Promise]] = {
    "device.add": ("device", gettext_lazy("connected the device “%(name)s” of")),
    "device.profile": ("device", gettext_lazy("fetched the profile for the device “%(name)s” of")),
    "device.revoke": ("device", gettext_lazy("revoked the device “%(name)s” of")),
    "domain.rename": ("old_name", gettext_lazy("renamed the domain %(name)s to")),
    "grant.create": ("domain", gettext_lazy("gave the administration of %(name)s to")),
    "grant.remove": ("domain", gettext_lazy("took the administration of %(name)s from")),
    "mailbox.rename": ("old_address", gettext_lazy("renamed the mailbox %(name)s to")),
}
# An alias of a mailbox's own address is its forward.
_OF_FORWARD: dict[str, Promise] = {
    "alias.change": gettext_lazy("changed the forward of"),
    "alias.confirm": gettext_lazy("confirmed a target of the forward of"),
    "alias.create": gettext_lazy("created a forward for"),
    "alias.remove": gettext_lazy("removed the forward of"),
    "alias.restore": gettext_lazy("restored the forward of"),
}
KINDS: dict[str, Promise] = {
    "mailbox": gettext_lazy("Mailboxes"),
    "domain": gettext_lazy("Domains"),
    "alias": gettext_lazy("Aliases"),
    "device": gettext_lazy("Devices"),
    "recovery": gettext_lazy("Recovery"),
    "policy": gettext_lazy("Retention policies"),
    "admin": gettext_lazy("Administrators"),
    "account": gettext_lazy("Accounts"),
    "grant": gettext_lazy("Domain admins"),
    "mailbox_import": gettext_lazy("Imports"),
    "move": gettext_lazy("Moves"),
    "password": gettext_lazy("Passwords"),
    "denied": gettext_lazy("Denied access"),
}
_SINCE = gettext_lazy("old mail counts from")  # the clocks of a policy, see its model
_FACTS: dict[str, Promise] = {
    "aliases_removed": gettext_lazy("aliases removed"),
    "again": gettext_lazy("restored as new"),
    "aliases": gettext_lazy("aliases"),
    "changed": gettext_lazy("changed"),
    "created": gettext_lazy("created"),
    "device": gettext_lazy("device"),
    "domains_removed": gettext_lazy("domains removed"),
    "files": gettext_lazy("files"),
    "expire_confirmed_since": _SINCE,
    "expire_since": _SINCE,
    "mailboxes": gettext_lazy("mailboxes"),
    "mailboxes_removed": gettext_lazy("mailboxes removed"),
    "messages": gettext_lazy("messages"),
    "not_undone": gettext_lazy("not undone"),
    "octets": gettext_lazy("size"),
    "path": gettext_lazy("page"),
    "policy_since": _SINCE,
    "recovery_since": _SINCE,
    "remove_since": _SINCE,
    "removed": gettext_lazy("removed messages"),
    "sessions": gettext_lazy("browsers"),
    "set_back": gettext_lazy("mailboxes with former values"),
    "site_since": _SINCE,
    "was": gettext_lazy("before"),
    "wrong": gettext_lazy("rows with errors"),
}
_UNSEEN = frozenset(
    {"undo_data", "job", "import", "rename"}
)  # facts for the pages: how to undo it, what it was part of
_TABLES = {"mailbox": MAILBOX, "domain": DOMAIN, "alias": ALIAS, "policy": POLICY, "device": DEVICE, "admin": ADMIN}
_PRIVATE = {field.name for table in _TABLES.values() for field in table if field.private}  # the audit has their length
_SIZES = {name for table in _TABLES.values() for name in table.names(Kind.SIZE)}
_CHOICES = {field.name: field.choice_labels for table in _TABLES.values() for field in table} | {
    "was": DEVICE["mode"].choice_labels
}
_MODELS = (Mailbox, User, Domain, Alias, RetentionPolicy, Device)


def verb(entry: AuditEntry) -> str:
    """Return what was done. It stands between the name of the actor and the name of the subject."""
    if entry.mailbox_id is not None and entry.verb in _OF_FORWARD:
        return str(_OF_FORWARD[entry.verb])
    fact, text = _NAMING.get(entry.verb, ("", ""))
    if name := entry.details.get(fact):
        return str(text % {"name": shown_name(name)})
    return str(VERBS.get(entry.verb, entry.verb))


def details(entry: AuditEntry, written: Written = at) -> Iterator[str]:
    """Return the changes, such as `quota: 1.0 GB → 2.0 GB`, then the other facts of the entry.

    `written` writes moments. The lines that have one are HTML unless it gives plain text, as for files.
    """
    facts = dict(entry.details)
    kind = entry.verb.partition(".")[0]
    facts.pop(_NAMING.get(entry.verb, ("", ""))[0], None)
    for name, (old, new) in facts.pop("changes", {}).items():
        yield change(name, old, new, kind=kind, written=written)
    for name, fact in facts.items():
        if name in _UNSEEN:
            continue
        yield fill(_("%(what)s: %(value)s"), what=label(name), value=value(name, fact, written))


def change(name: str, old: object, new: object, *, kind: str = "mailbox", written: Written = at) -> str:
    """Return one change. `kind` is what has the field, as in the verbs of the audit."""
    return fill(
        _("%(what)s: %(old)s → %(new)s"),
        what=label(name, kind=kind),
        old=value(name, old, written),
        new=value(name, new, written),
    )


def label(name: str, *, kind: str = "mailbox") -> str:
    """Return the label of a field or a fact: of this kind, else of any kind, else its own name."""
    if name in _FACTS:
        return str(_FACTS[name])
    for table in (_TABLES.get(kind, MAILBOX), *_TABLES.values()):
        if name in table:
            return str(table[name].label)
    for model in _MODELS:
        for field in model._meta.get_fields():
            if field.name == name:
                return str(getattr(field, "verbose_name", name))
    return name.replace("_", " ")


def value(name: str, value: object, written: Written = at) -> str:
    """Return the value of a field or a fact as text."""
    if value in (None, "") and not _is_size(name):
        return _("nothing")
    if isinstance(value, str):
        return _text(name, value, written)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if _is_size(name) and (value is None or isinstance(value, int)):
        return size_or_none(value)
    return _number(name, value) if isinstance(value, int) else str(value)


def _is_size(name: str) -> bool:
    return name.endswith("octets") or name in _SIZES


def _number(name: str, number: int) -> str:
    """Return a number; of a private text it is the length."""
    if name not in _PRIVATE:
        return count(number)
    text = ngettext("%(number)s character", "%(number)s characters", number)
    return text % {"number": count(number)} if number else _("nothing")


def _text(name: str, value: str, written: Written) -> str:
    if value in (words := _CHOICES.get(name, {})):
        return str(words[value])
    moment = moment_in(value) if name.endswith(("_at", "_since")) else None
    return value if moment is None else written(moment)
