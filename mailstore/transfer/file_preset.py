"""What other programs call the columns of their files, and what the numbers of their quotas mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from mailstore.directory.outcome import Rejected
from mailstore.models import MailboxImport
from mailstore.policy.quota import EXPLICIT, Reading
from mailstore.transfer.mailbox_columns import ACTIVE, ADDRESS, DOMAIN_NAME, LOCAL_PART, PASSWORD

TARGETS, STANDS_FOR = "targets", "stands_for"
Kind = MailboxImport.Kind
Headings = Mapping[str, str]  # the field of each name, in lower case


@dataclass(frozen=True, slots=True)
class Preset:
    """The columns of a program's lists. All other columns are left out: what they say is not the same here."""

    name: str
    mailboxes: Headings
    aliases: Headings = field(default_factory=dict)
    domains: Headings = field(default_factory=dict)
    reading: Reading = EXPLICIT

    def headings(self, kind: str) -> Headings:
        return {Kind.ALIASES: self.aliases, Kind.DOMAINS: self.domains}.get(Kind(kind), self.mailboxes)


_PARTS = {"local_part": LOCAL_PART, "domain": DOMAIN_NAME}
_DOMAINS = {"domain": ADDRESS, "target_domain": STANDS_FOR, "active": ACTIVE}
_ALIASES = {"address": ADDRESS, "goto": TARGETS, "active": ACTIVE}
_QUOTA = "quota_octets"
PRESETS = {
    "postfixadmin": Preset(
        "PostfixAdmin",
        {"username": ADDRESS, **_PARTS, "password": PASSWORD, "name": "name", "quota": _QUOTA, "active": ACTIVE},
        _ALIASES,
        _DOMAINS,
        Reading("B", "none"),
    ),
    "modoboa": Preset(
        "Modoboa",
        {
            "address": ADDRESS, "mail address": ADDRESS, "username": ADDRESS, "password": PASSWORD, "name": "name",
            "quota": _QUOTA,
        },
        {"address": ADDRESS, "recipients": TARGETS, "enabled": ACTIVE},
        {"name": ADDRESS, "enabled": ACTIVE},
        Reading("MB", "none"),
    ),
    "mailcow": Preset(
        "mailcow",
        {
            "username": ADDRESS, **_PARTS, "password": PASSWORD, "name": "name", "full name": "name", "quota": _QUOTA,
            "active": ACTIVE,
        },
        _ALIASES,
        {**_DOMAINS, "domain_name": ADDRESS},
        Reading("MB", "none"),
    ),
    "cpanel": Preset(
        "cPanel",
        {"email": ADDRESS, "login": ADDRESS, "password": PASSWORD, "quota": _QUOTA, "diskquota": _QUOTA},
        {"source": ADDRESS, "target": TARGETS, "destination": TARGETS},
        {"domain": ADDRESS},
        Reading("MB", "none"),
    ),
}  # fmt: skip
# Names that only one program's files have together; the first that fits decides.
_SIGNS: tuple[tuple[str, frozenset[str]], ...] = (
    ("postfixadmin", frozenset({"username", "local_part", "domain"})),
    ("postfixadmin", frozenset({"username", "maildir"})),
    ("mailcow", frozenset({"local_part", "domain"})),
    ("postfixadmin", frozenset({"address", "goto"})),
    ("cpanel", frozenset({"email", "diskquota"})),
)
_CPANEL = frozenset({"email", "password", "quota"})  # these three alone; others call their columns so too


def program_of(header: Sequence[str]) -> str:
    """Return the preset whose names a file has; empty for none."""
    names = frozenset(name.strip().lower() for name in header)
    if names == _CPANEL:
        return "cpanel"
    return next((program for program, signs in _SIGNS if signs <= names), "")


def by_preset(name: str, kind: str, header: Sequence[str]) -> list[str]:
    """Return the field of each column by the names of a preset, "" where it has none. Each field is found once."""
    if name not in PRESETS:
        raise Rejected(_("choose one of the listed programs"))
    found: list[str] = []
    for heading in header:
        field_name = PRESETS[name].headings(kind).get(heading.strip().lower(), "")
        found.append("" if field_name in found else field_name)
    found = whole_address(found)
    if ADDRESS not in found and not {LOCAL_PART, DOMAIN_NAME} <= set(found):
        text = _("no column of this file has the name that %(program)s gives to the address: choose the columns below")
        raise Rejected(text % {"program": PRESETS[name].name})
    return found


def whole_address(meaning: Sequence[str]) -> list[str]:
    """Leave out the parts of the address where the file has the whole."""
    parts = {LOCAL_PART, DOMAIN_NAME} if ADDRESS in meaning else set()
    return ["" if each in parts else each for each in meaning]
