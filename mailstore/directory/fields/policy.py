"""The fields of retention policies, and the clock of the policy that a domain or mailbox follows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from mailstore.directory.fields.field import Field, Kind, Setter, Table
from mailstore.models import Domain, Mailbox, RetentionPolicy

POLICY = Table(
    (
        Field(
            name="site", kind=Kind.SWITCH, model=RetentionPolicy, setter=Setter.HOST, prompt=_("Site policy"),
            help=_("Used wherever neither the mailbox nor its domain has a policy of its own."),
            option_help="used where neither mailbox nor domain has a policy",
        ),
        Field(
            name="offered", kind=Kind.SWITCH, model=RetentionPolicy, setter=Setter.HOST,
            help=_("They may choose it for their domains and mailboxes."),
            options=("--offered", "--not-offered"),
            option_help="domain admins may choose it for their domains and mailboxes",
        ),
        Field(
            name="expire_days", kind=Kind.DAYS_OR_NEVER, model=RetentionPolicy, setter=Setter.HOST, least=1,
            prompt=_("Remove mail after arrival (days)"),
            options=("--expire",), option_help="days after arrival; none: never",
        ),
        Field(
            name="expire_unfetched", kind=Kind.SWITCH, model=RetentionPolicy, setter=Setter.HOST,
            prompt=_("Even if no device has fetched it"),
            help=_("Otherwise mail that no device has fetched stays, however old it is."),
            options=("--expire-unfetched", "--keep-unfetched"), option_help="unfetched mail may expire too",
        ),
        Field(
            name="expire_confirmed_days", kind=Kind.DAYS_OR_NEVER, model=RetentionPolicy, setter=Setter.HOST, least=1,
            prompt=_("Remove mail after every device has it (days)"),
            options=("--expire-confirmed",), option_help="days after every device has it",
        ),
        Field(
            name="remove_when_confirmed", kind=Kind.SWITCH, model=RetentionPolicy, setter=Setter.HOST,
            prompt=_("Remove mail as soon as every device has it"),
            help=_("Even if mail programs are set to leave mail on the server."),
            options=("--remove-confirmed", "--keep-confirmed"), option_help="remove what every device has",
        ),
        Field(
            name="hold_days", kind=Kind.DAYS, model=RetentionPolicy, setter=Setter.HOST,
            prompt=_("But not earlier than (days after arrival)"), help=_("So that a new phone finds something."),
            option_help="but not before so many days after arrival",
        ),
        Field(
            name="relief", kind=Kind.CHOICE, model=RetentionPolicy, setter=Setter.HOST,
            prompt=_("A full mailbox makes room for new mail"),
            option_help="in a full mailbox, remove what every device has, or then what one has",
        ),
        Field(
            name="silent_days", kind=Kind.DAYS, model=RetentionPolicy, setter=Setter.HOST, least=1,
            prompt=_("Stop waiting for a silent device after (days)"),
            help=_("The owner is warned by mail first."),
            options=("--silent",), option_help="days of silence after which a device is waited for no longer",
        ),
        Field(
            name="recovery_days", kind=Kind.DAYS, model=RetentionPolicy, setter=Setter.HOST,
            prompt=_("Keep removed mail in recovery (days)"), options=("--recovery",), option_help="days in recovery",
        ),
        Field(
            name="recovery_octets", kind=Kind.SIZE, model=RetentionPolicy, setter=Setter.HOST,
            prompt=_("Recovery limit"),
            help=_("Leave empty to use the quota of the mailbox. Mail that was removed first is deleted first."),
            options=("--recovery-size",),
        ),
        Field(
            name="diary_days", kind=Kind.DAYS, model=RetentionPolicy, setter=Setter.HOST,
            prompt=_("Keep the diary (days)"), options=("--diary",), option_help="days the diary is kept",
        ),
    )
)  # fmt: skip


class PolicyRules(TypedDict, total=False):
    """What `policies.ensure` sets; what is not given stays. Days of None: never."""

    site: bool
    offered: bool
    expire_days: int | None
    expire_unfetched: bool
    expire_confirmed_days: int | None
    remove_when_confirmed: bool
    hold_days: int
    relief: str
    silent_days: int
    recovery_days: int
    recovery_octets: int | None
    diary_days: int


class PolicyValues(PolicyRules, total=False):
    """The rules, and the name, which `policies.change` sets too."""

    name: str


def with_policy_since(row: Domain | Mailbox, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values for a domain or mailbox, with the clock of the policy if they choose another.

    `policy_at_once` True sets no clock, so that the policy applies to old mail too. The same policy keeps its clock.
    """
    rest = dict(values)
    at_once = bool(rest.pop("policy_at_once", False))
    if "policy" in rest and rest["policy"] != row.policy:
        rest["policy_since"] = None if at_once else timezone.now()
    return rest
