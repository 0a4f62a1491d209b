"""The fields of domains, of their aliases and of their administrators."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from django.utils.translation import gettext_lazy as _

from mailstore.directory.fields.field import Field, Kind, Setter, Surface, Table
from mailstore.models import Alias, Domain, DomainGrant, RetentionPolicy

DOMAIN = Table(
    (
        Field(
            name="active", kind=Kind.SWITCH, model=Domain, absent=(Surface.FORM,),  # a button of the domain
            options=("--active", "--inactive"), option_help="the domain receives and its people sign in",
        ),
        Field(
            name="over_quota", kind=Kind.CHOICE, model=Domain, own_heading=_("When a mailbox is full"),
            prompt=_("When a mailbox is full"),
            option_help="the reply when a mailbox is full: try again later (defer), or never (reject)",
        ),
        Field(
            name="owner_forwards", kind=Kind.SWITCH, model=Domain,
            options=("--owner-forwards", "--no-owner-forwards"), option_help="owners may forward their mail",
        ),
        Field(
            name="alias_sign_in", kind=Kind.SWITCH, model=Domain,
            prompt=_("People sign in by an alias too"),
            help=_("An alias in this domain with one mailbox as its only target opens that mailbox, by its password."),
            options=("--alias-sign-in", "--no-alias-sign-in"),
            option_help="an alias with one mailbox as its only target opens it",
        ),
        Field(
            name="mailbox_quota_default", kind=Kind.SIZE, model=Domain, prompt=_("A new mailbox gets"),
            options=("--mailbox-quota",), option_help="the quota of a new mailbox", key="mailbox_quota_octets",
        ),
        Field(
            name="mailbox_quota_most", kind=Kind.SIZE, model=Domain, setter=Setter.HOST,
            own_heading=_("Largest quota of a mailbox"), prompt=_("A mailbox gets at most"),
            help=_("Holds for domain admins, not for hosting admins."),
            options=("--max-mailbox-quota",), option_help="the largest quota that its admins may give to a mailbox",
            key="max_mailbox_quota_octets",
        ),
        Field(
            name="allotment_octets", kind=Kind.SIZE, model=Domain, setter=Setter.HOST,
            own_heading=_("Bytes allotted at most"),
            prompt=_("Quotas given to mailboxes, together"), help=_("Holds for domain admins, not for hosting admins."),
            options=("--allotment",), option_help="the sum of all quotas that its admins may give",
        ),
        Field(
            name="quota_octets", kind=Kind.SIZE, model=Domain, setter=Setter.HOST, own_heading=_("Bytes at most"),
            prompt=_("Storage"),
            help=_("For all mailboxes together. Once it is reached, all of them count as full."),
            options=("--quota",), option_help="what all its mailboxes may store together",
        ),
        Field(
            name="mailbox_limit", kind=Kind.COUNT, model=Domain, setter=Setter.HOST, own_heading=_("Mailbox limit"),
            prompt=_("Mailboxes"), help=_("Leave empty for no limit."),
            options=("--max-mailboxes",), key="max_mailboxes",
        ),
        Field(
            name="alias_limit", kind=Kind.COUNT, model=Domain, setter=Setter.HOST, own_heading=_("Alias limit"),
            prompt=_("Aliases"), help=_("Leave empty for no limit."),
            options=("--max-aliases",), key="max_aliases",
        ),
        Field(
            name="mailbox_send_hourly", kind=Kind.COUNT, model=Domain, setter=Setter.HOST,
            prompt=_("Messages that one mailbox sends an hour"), help=_("Leave empty for no limit."),
            option_help="messages that each mailbox may send an hour, if it has no figure of its own",
        ),
        Field(
            name="mailbox_send_daily", kind=Kind.COUNT, model=Domain, setter=Setter.HOST,
            prompt=_("Messages that one mailbox sends a day"), help=_("Leave empty for no limit."),
            option_help="messages that each mailbox may send a day, if it has no figure of its own",
        ),
        Field(
            name="send_hourly", kind=Kind.COUNT, model=Domain, setter=Setter.HOST,
            prompt=_("Messages that all mailboxes together send an hour"), help=_("Leave empty for no limit."),
            option_help="messages that all its mailboxes together may send an hour",
        ),
        Field(
            name="send_daily", kind=Kind.COUNT, model=Domain, setter=Setter.HOST,
            prompt=_("Messages that all mailboxes together send a day"), help=_("Leave empty for no limit."),
            option_help="messages that all its mailboxes together may send a day",
        ),
        Field(
            name="stands_for", kind=Kind.DOMAIN, model=Domain, setter=Setter.HOST, own_heading=_("Alias of"),
            prompt=_("Alias of the domain"),
            help=_("Mail to any name in it arrives at the same name there; it has no addresses of its own."),
            option_help="every address in it is the same address in that domain",
        ),
        Field(
            name="old_server", kind=Kind.SERVER, model=Domain, setter=Setter.HOST,
            help=_(
                "Such as pop3s://mail.old.example. Mailboxes that are marked as still there are moved from it when "
                "their owners sign in."
            ),
            option_help="marked mailboxes move from there: pop3s://HOST[:PORT], or pop3:// with STLS",
        ),
        Field(
            name="old_server_until", kind=Kind.LAST_DAY, model=Domain, setter=Setter.HOST,
            help=_("After that day nobody is asked for there. Leave empty for no end."),
            option_help="the last day on which it is asked, 2027-12-31",
        ),
        Field(
            name="old_server_local", kind=Kind.SWITCH, model=Domain, setter=Setter.HOST,
            prompt=_("Users sign in there with the part before the @"),
            options=("--old-server-local", "--no-old-server-local"),
            option_help="users sign in there with the part before the @, not with the address",
        ),
        Field(
            name="policy", kind=Kind.POLICY, model=Domain, option_help="the retention policy it follows",
        ),
    )
)  # fmt: skip


class DomainValues(TypedDict, total=False):
    """What `domains.ensure` sets; what is not given stays. `policy_at_once` lets the policy take old mail too."""

    active: bool
    over_quota: str
    owner_forwards: bool
    alias_sign_in: bool
    mailbox_quota_default: int | None
    mailbox_quota_most: int | None
    allotment_octets: int | None
    quota_octets: int | None
    mailbox_limit: int | None
    alias_limit: int | None
    mailbox_send_hourly: int | None
    mailbox_send_daily: int | None
    send_hourly: int | None
    send_daily: int | None
    stands_for: Domain | None
    old_server: str | None
    old_server_until: datetime | None
    old_server_local: bool
    policy: RetentionPolicy | None
    policy_at_once: bool


ALIAS = Table(
    (
        Field(
            name="targets", kind=Kind.ADDRESSES, model=Alias, absent=(Surface.SHELL,),  # arguments, not an option
            prompt=_("Delivers to"), help=_("Addresses here or elsewhere, one per line."),
        ),
        Field(
            name="keep_copy", kind=Kind.SWITCH, model=Alias, setter=Setter.OWNER,
            prompt=_("The mailbox keeps a copy"), own_heading=_("Keeps a copy"),
            option_help="of a mailbox's forward: mail stays there too",
        ),
        Field(
            name="expires_at", kind=Kind.LAST_DAY, model=Alias, prompt=_("Last day"),
            help=_("The alias stops working the day after. Leave empty if it never expires."),
            options=("--expires",), option_help="the last day, 2027-12-31",
        ),
        Field(name="comment", kind=Kind.TEXT, model=Alias, option_help="what it is for"),
        Field(
            name="active", kind=Kind.SWITCH, model=Alias,
            options=("--active", "--inactive"), option_help="the alias answers",
        ),
    )
)  # fmt: skip


class AliasExpiry(TypedDict, total=False):
    """Until when an alias leads on; None is for ever."""

    expires_at: datetime | None


class AliasValues(AliasExpiry, total=False):
    """What `aliases.ensure` sets beside the targets; what is not given stays."""

    keep_copy: bool
    comment: str
    active: bool


ADMIN = Table(
    (
        Field(
            name="domains", kind=Kind.ADDRESSES, model=DomainGrant, setter=Setter.HOST,
            absent=(Surface.JSON,),  # no command lists administrators
            own_label=_("domains"), help=_("For a domain admin: one or more domains, separated by spaces."),
            options=("--domain",), option_help="a domain admin of this domain; may be repeated",
        ),
    )
)  # fmt: skip
