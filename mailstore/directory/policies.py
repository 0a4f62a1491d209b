"""Create, change and remove retention policies, with the clocks that protect old mail from a mistyped rule."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Unpack

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from mailstore.directory import audit
from mailstore.directory.audit import Actor
from mailstore.directory.fields.field import Kind
from mailstore.directory.fields.policy import POLICY, PolicyRules, PolicyValues
from mailstore.directory.outcome import Changes, Ensured, Rejected, details, not_negative, refuse_violations, set_values
from mailstore.models import Domain, Mailbox, RetentionPolicy
from mailstore.policy.retention import HORIZON_DAYS, Rule, days_until_effect, sharpened

NAME_CHARACTERS = 100
DAYS_AT_MOST = 36_500  # a century; dates overflow far later
NONE = "none"  # the word at the shell and in files for no policy of its own, or no limit
NAMED_USERS = 3  # so many followers of a policy are named when its removal is refused
_DAYS = POLICY.names(Kind.DAYS, Kind.DAYS_OR_NEVER)
_SIZES = POLICY.names(Kind.SIZE)
_CLOCKS = tuple(column.name for column in RetentionPolicy._meta.fields if column.name.endswith("_since"))
_RACES = {
    "mailstore_retentionpolicy_name_key": gettext_lazy("there is already a policy with this name: choose another name"),
    "retention_policy_one_site_fallback": gettext_lazy("another policy became the site policy a moment ago: try again"),
}


def make(label: str, *, actor: Actor, at_once: bool = False, **fields: Unpack[PolicyRules]) -> RetentionPolicy:
    """Create a policy. Rejected as by `ensure`, and when there is a policy of this name."""
    with transaction.atomic():
        done = ensure(label, actor=actor, at_once=at_once, **fields)
        if not done.created:
            raise Rejected(str(_RACES["mailstore_retentionpolicy_name_key"]))
    return done.row


def ensure(
    label: str, *, actor: Actor, at_once: bool = False, **fields: Unpack[PolicyRules]
) -> Ensured[RetentionPolicy]:
    """Create the policy unless it is there, and set the given fields.

    A rule that removes more mail than before spares mail that is there: its age counts from now. `at_once` ends this
    and every such wait from before. A policy that becomes the site's replaces the one that was; that is the only way
    for the other to stop being the site's. Rejected for a bad name or value.
    """
    name = _checked_name(label)
    with transaction.atomic(), refuse_violations(_RACES):
        policy = RetentionPolicy.objects.select_for_update(no_key=True).filter(name=name).first()
        created = policy is None
        if policy is None:
            policy = RetentionPolicy.objects.create(name=name)
        changes = _change(policy, fields, at_once=at_once, fresh=created)
        if created or changes:
            verb = "policy.create" if created else "policy.change"
            audit.record(actor, verb, name, changes=details(changes), at_once=at_once)
    return Ensured(policy, created, changes)


def change(
    key: int, *, actor: Actor, seen: datetime, at_once: bool = False, **fields: Unpack[PolicyValues]
) -> Ensured[RetentionPolicy]:
    """Set the fields of the policy. Rejected when somebody has saved it after `seen`, the time it was last saved."""
    with transaction.atomic(), refuse_violations(_RACES):
        policy = _locked(key)
        _refuse_stale(policy, seen)
        if "name" in fields:
            fields["name"] = _checked_name(fields["name"])
        changes = _change(policy, fields, at_once=at_once)
        if changes:
            audit.record(actor, "policy.change", policy.name, changes=details(changes), at_once=at_once)
    return Ensured(policy, False, changes)


def state(policy: RetentionPolicy) -> dict[str, Any]:
    """Return the name, the rules and the clocks of a policy as JSON, for `put_back`."""
    return {name: _json(getattr(policy, name)) for name in ("name", *(field.name for field in POLICY), *_CLOCKS)}


def undo_until(former: RetentionPolicy, changed: RetentionPolicy, *, saved_at: datetime) -> datetime | None:
    """Return until when the change removes nothing, HORIZON_DAYS at most; None: it may with the next sweep."""
    days = days_until_effect(_rule(former), _rule(changed))
    return None if days == 0 else saved_at + timedelta(days=HORIZON_DAYS if days is None else min(days, HORIZON_DAYS))


def put_back(key: int, former: Mapping[str, Any], *, actor: Actor, seen: datetime) -> Ensured[RetentionPolicy]:
    """Undo the last change: set the policy to its former `state`, clocks too, so that no mail starts to wait anew.

    Rejected when somebody has saved it after `seen`, and where the change made it the site policy or ended that.
    """
    with transaction.atomic(), refuse_violations(_RACES):
        policy = _locked(key)
        _refuse_stale(policy, seen)
        if former["site"] != policy.site:
            raise Rejected(_("the site policy has changed since then: choose it on the page of the policy"))
        clocks = {name: former[name] and datetime.fromisoformat(former[name]) for name in _CLOCKS}
        changes = set_values(policy, {name: value for name, value in former.items() if name not in clocks})
        for clock, at in clocks.items():
            setattr(policy, clock, at)
        policy.save()
        audit.record(actor, "policy.change", policy.name, changes=details(changes), at_once=False)
    return Ensured(policy, False, changes)


def remove(key: int, *, actor: Actor) -> None:
    """Remove the policy. Rejected while it is the site's, or a domain or mailbox follows it."""
    with transaction.atomic():
        policy = _locked(key)
        _refuse_site_policy(policy)
        _refuse_used(policy)
        audit.record(actor, "policy.remove", policy.name)
        policy.delete()


def get(name: str) -> RetentionPolicy:
    """Return the policy of this name. Rejected when there is none."""
    policy = RetentionPolicy.objects.filter(name=" ".join(name.split())).first()
    if policy is None:
        raise Rejected(_("%(name)s is not a retention policy of this site: create it first") % {"name": name})
    return policy


def in_force(mailbox: Mailbox) -> tuple[RetentionPolicy | None, str]:
    """Return the policy of a mailbox, and where it comes from: "mailbox", "domain", "site", or "none"."""
    if mailbox.policy is not None:
        return mailbox.policy, "mailbox"
    if mailbox.domain.policy is not None:
        return mailbox.domain.policy, "domain"
    site = RetentionPolicy.objects.filter(site=True).first()
    return site, "none" if site is None else "site"


@dataclass(frozen=True, slots=True)
class Plan:
    """A policy as it would be saved, for a forecast. It is not written.

    `takes_site`: it becomes the site policy in place of another. `at_once`: it also applies to old mail.
    """

    policy: RetentionPolicy
    takes_site: bool
    at_once: bool


def plan(label: str, *, new: bool = False, at_once: bool = False, **fields: Any) -> Plan:
    """Return what `ensure` would save, or with `new` what `make` would. Rejected as they are."""
    name = _checked_name(label)
    policy = RetentionPolicy.objects.filter(name=name).first()
    if new and policy is not None:
        raise Rejected(str(_RACES["mailstore_retentionpolicy_name_key"]))
    return _planned(policy or RetentionPolicy(name=name), fields, at_once=at_once)


def plan_change(key: int, *, seen: datetime, at_once: bool = False, **fields: Any) -> Plan:
    """Return what `change` would save. Rejected as it is."""
    policy = RetentionPolicy.objects.filter(pk=key).first()
    if policy is None:
        raise _gone()
    _refuse_stale(policy, seen)
    if "name" in fields:
        fields["name"] = _checked_name(fields["name"])
        if RetentionPolicy.objects.filter(name=fields["name"]).exclude(pk=key).exists():
            raise Rejected(str(_RACES["mailstore_retentionpolicy_name_key"]))
    return _planned(policy, fields, at_once=at_once)


def _planned(policy: RetentionPolicy, fields: Mapping[str, Any], *, at_once: bool) -> Plan:
    takes_site = bool(fields.get("site")) and not policy.site
    _set(policy, fields, at_once=at_once, fresh=policy.pk is None)
    return Plan(policy, takes_site, at_once)


def _change(policy: RetentionPolicy, fields: Mapping[str, Any], *, at_once: bool, fresh: bool = False) -> Changes:
    """Set the fields and their clocks, and save them. Returns what changed."""
    takes_site = bool(fields.get("site")) and not policy.site
    changes, clocks = _set(policy, fields, at_once=at_once, fresh=fresh)
    names = [*changes]
    if takes_site:
        RetentionPolicy.objects.filter(site=True).update(site=False)
    if at_once:
        changes |= _end_waits(policy)
    if changes:
        policy.save(update_fields=[*{*names, *clocks, "saved_at"}])
    return changes


def _set(
    policy: RetentionPolicy, fields: Mapping[str, Any], *, at_once: bool, fresh: bool
) -> tuple[Changes, dict[str, datetime | None]]:
    """Set the fields and their clocks without saving. Returns what changed, and the clocks that were set.

    A fresh policy has no clocks of its own: nobody has followed another rule of it.
    """
    not_negative(fields, *_DAYS, *_SIZES)
    _refuse_bad_days(fields)
    before, started = _rule(policy), timezone.now()
    clocks: dict[str, datetime | None] = {}
    if fields.get("site") is False:
        _refuse_site_policy(policy)
    if fields.get("site") and not policy.site:
        clocks["site_since"] = started
    changes = set_values(policy, fields)
    if not fresh:
        clocks |= dict.fromkeys(sharpened(before, _rule(policy)), started)
    if at_once:
        clocks = dict.fromkeys(_CLOCKS, None)
        changes |= {clock: (at, None) for clock in _CLOCKS if (at := getattr(policy, clock)) is not None}
    for clock, at in clocks.items():
        setattr(policy, clock, at)
    return changes, clocks


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _end_waits(policy: RetentionPolicy) -> Changes:
    """End the waits of those who have chosen the policy. Returns how many waited."""
    followed = 0
    for model in (Domain, Mailbox):
        followed += model._default_manager.filter(policy=policy, policy_since__isnull=False).update(policy_since=None)
    return {"policy_since": (followed, 0)} if followed else {}


def _rule(policy: RetentionPolicy) -> Rule:
    return Rule(**{field.name: getattr(policy, field.name) for field in dataclasses.fields(Rule)})


def _refuse_bad_days(fields: Mapping[str, Any]) -> None:
    for name in _DAYS:
        days = fields.get(name)
        least = POLICY[name].least
        if days is not None and not least <= days <= DAYS_AT_MOST:
            raise Rejected(
                _("%(name)s: %(days)d is not allowed, only %(least)d to %(most)d")
                % {"name": name, "days": days, "least": least, "most": DAYS_AT_MOST}
            )


def _checked_name(name: str) -> str:
    label = " ".join(name.split())
    if not label or len(label) > NAME_CHARACTERS or not label.isprintable():
        raise Rejected(
            _("%(name)r is not a valid policy name: use 1 to %(most)d characters")
            % {"name": name, "most": NAME_CHARACTERS}
        )
    if label.lower() == NONE:
        raise Rejected(_("%(name)s means that there is no policy: choose another name") % {"name": label}, field="name")
    return label


def _locked(key: int) -> RetentionPolicy:
    policy = RetentionPolicy.objects.select_for_update().filter(pk=key).first()
    if policy is None:
        raise _gone()
    return policy


def _gone() -> Rejected:
    return Rejected(_("this policy no longer exists: somebody has deleted it"))


def _refuse_stale(policy: RetentionPolicy, seen: datetime) -> None:
    if policy.saved_at != seen:
        raise Rejected(_("somebody has changed this policy in the meantime: check it again"))


def _refuse_site_policy(policy: RetentionPolicy) -> None:
    """Refuse the site policy: without one, its mailboxes would have no policy, and no clock would spare their mail."""
    if policy.site:
        text = _("%(name)s is the site policy: make another policy the site policy first")
        raise Rejected(text % {"name": policy.name}, field="site")


def _refuse_used(policy: RetentionPolicy) -> None:
    domains = Domain.objects.filter(policy=policy).order_by("name")
    boxes = Mailbox.objects.filter(policy=policy).order_by("user__address")
    count = domains.count() + boxes.count()
    if count:
        first = [*domains.values_list("name", flat=True)[:NAMED_USERS]]
        first += boxes.values_list("user__address", flat=True)[: NAMED_USERS - len(first)]
        text = ngettext(
            "%(name)s is still used by %(first)s: choose another policy there first",
            "%(name)s is still used in %(count)d places, among them %(first)s: choose another policy there first",
            count,
        )
        raise Rejected(text % {"name": policy.name, "count": count, "first": ", ".join(first)})
