"""The fields of mailboxes and of their devices."""

from __future__ import annotations

from typing import TypedDict

from django.utils.translation import gettext_lazy as _

from mailstore.directory.fields.field import Field, Kind, Setter, Surface, Table
from mailstore.models import Device, Mailbox, RetentionPolicy, User

MAILBOX = Table(
    (
        Field(
            name="name", kind=Kind.TEXT, model=User, holder="user", setter=Setter.OWNER,
            option_help="the owner's name", headings=("name", "nom", "full name", "nom complet"),
        ),
        Field(
            name="quota_octets", kind=Kind.SIZE, model=Mailbox,
            help=_(
                "If the policy sets no limit for recovery, recovery can hold as much as the quota. A lower "
                "quota applies to recovery a week later."
            ),
            options=("--quota",), option_help="such as 2GB or 500MB", headings=("quota", "quota_octets"),
        ),
        Field(
            name="quota_messages", kind=Kind.COUNT, model=Mailbox, most=10**12,
            option_help="messages at most", headings=("quota messages", "quota_messages"),
        ),
        Field(
            name="send_hourly", kind=Kind.COUNT, model=Mailbox, setter=Setter.HOST,
            help=_("Leave empty for what the domain says of each mailbox."),
            option_help="messages that it may send an hour; none: as the domain says",
        ),
        Field(
            name="send_daily", kind=Kind.COUNT, model=Mailbox, setter=Setter.HOST,
            help=_("Leave empty for what the domain says of each mailbox."),
            option_help="messages that it may send a day; none: as the domain says",
        ),
        Field(
            name="suspended", kind=Kind.SWITCH, model=User, holder="user", column="is_active", negated=True,
            absent=(Surface.FORM, Surface.BULK),  # a button of the mailbox, and a bulk action of its own
            own_label=_("suspended"), options=("--suspend", "--activate"),
            option_help="may not sign in anywhere; mail still comes in",
            headings=("suspended", "suspendu", "suspendue"),
        ),
        Field(
            name="must_change_password", kind=Kind.SWITCH, model=User, holder="user",
            # Files set it for the passwords that they hand out; it is a bulk action of its own.
            absent=(Surface.FILE, Surface.BULK),
            prompt=_("The owner must choose a new password at the first sign-in"),
            help=_("Until then, these pages allow nothing else. Mail programs accept this password until then."),
            options=("--must-change", "--no-must-change"), option_help="the pages ask for a new password",
        ),
        Field(
            name="receives", kind=Kind.SWITCH, model=Mailbox, options=("--receive", "--no-receive"),
            option_help="receives mail", headings=("receives", "reçoit"),
        ),
        Field(
            name="pop", kind=Kind.SWITCH, model=Mailbox,
            option_help="may sign in to POP", headings=("pop", "pop3"),
        ),
        Field(
            name="main_pop", kind=Kind.SWITCH, model=Mailbox, option_help="the main password signs in to POP too",
            headings=("main_pop",),
        ),
        Field(
            name="smtp", kind=Kind.SWITCH, model=Mailbox,
            option_help="may sign in to send mail, where the MTA asks SASL_LISTEN", headings=("smtp",),
        ),
        Field(
            name="web", kind=Kind.SWITCH, model=Mailbox,
            option_help="may sign in to the web pages", headings=("web",),
        ),
        Field(
            name="held", kind=Kind.SWITCH, model=Mailbox, setter=Setter.HOST,
            absent=(Surface.BULK,),  # each hold has a reason of its own
            help=_("While it is set, nothing in this mailbox expires, is removed or is deleted for good."),
            options=("--hold", "--no-hold"), option_help="nothing expires, is removed or is deleted for good meanwhile",
            headings=("held", "hold"),
        ),
        Field(
            name="notes", kind=Kind.TEXT, model=Mailbox, private=True, help=_("Only administrators see them."),
            option_help="for administrators; the owner does not see it", headings=("notes", "note"),
        ),
        Field(
            name="policy", kind=Kind.POLICY, model=Mailbox,
            option_help="the retention policy it follows", headings=("policy", "retention", "politique"),
        ),
    )
)  # fmt: skip


class MailboxValues(TypedDict, total=False):
    """What `mailboxes.ensure` sets; what is not given stays. `policy_at_once` lets the policy take old mail too."""

    name: str
    quota_octets: int | None
    quota_messages: int | None
    send_hourly: int | None
    send_daily: int | None
    suspended: bool
    must_change_password: bool
    receives: bool
    pop: bool
    main_pop: bool
    smtp: bool
    web: bool
    held: bool
    notes: str
    policy: RetentionPolicy | None
    policy_at_once: bool


NO_POP = "none"  # a mode of the main password alone: no sign-in to POP
DEVICE = Table(
    (
        Field(
            name="name", kind=Kind.TEXT, model=Device, setter=Setter.OWNER, absent=(Surface.SHELL,),  # an argument
            help=_("A name that you recognise, such as “Phone” or “Office PC”."),
        ),
        Field(
            name="kind", kind=Kind.CHOICE, model=Device, setter=Setter.OWNER, prompt=_("What it is"),
            labels=(
                (Device.Kind.PHONE, _("Phone")),
                (Device.Kind.TABLET, _("Tablet")),
                (Device.Kind.LAPTOP, _("Laptop")),
                (Device.Kind.PC, _("Desktop computer")),
                (Device.Kind.OTHER, _("Something else")),
            ),
            option_help="what it is; it decides the icon on the pages (default: other)",
        ),
        Field(
            name="mode", kind=Kind.CHOICE, model=Device, setter=Setter.OWNER, prompt=_("How it shares the mailbox"),
            labels=(
                (Device.Mode.INDEPENDENT, _("Independent")),
                (Device.Mode.PRIMARY, _("Primary")),
                (Device.Mode.PEEK, _("View only")),
                (NO_POP, _("Not for mail programs")),
            ),
            option_help="independent: deleting hides mail here only (default); primary: removes it for all; "
            "peek: never counts",
        ),
        Field(
            name="may_send", kind=Kind.SWITCH, model=Device, setter=Setter.OWNER,
            prompt=_("It may also send mail"),
            help=_("With this password, through the outgoing mail server. Switch it off for what only fetches mail."),
            option_help="its password may also send mail (default: it may only fetch)",
        ),
        Field(
            name="start", kind=Kind.CHOICE, model=Device, setter=Setter.OWNER,
            absent=(Surface.JSON,),  # it decides once what the new view hides, and is not kept
            labels=(("all", _("All mail")), ("now", _("New mail only")), ("30d", _("The last 30 days"))),
            own_label=_("begins with"), prompt=_("Mail it starts with"),
            option_help="what it finds at first: all that is stored (default), the last 30 days, or from now on",
        ),
    )
)  # fmt: skip
