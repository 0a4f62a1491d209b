"""Names that nobody has, with the address that was probably meant, limits, and TLS that did not begin, in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django_stubs_ext import StrOrPromise

from mailstore.directory.nearest_addresses import Near
from mailstore.models import RefusedName, User
from mailstore.policy.networks import is_loopback
from mailstore.policy.throttle import UNKNOWN_ACCOUNTS_AN_HOUR, WRONG_PASSWORDS_A_DAY
from popadmin.panel import access, nearest_name
from popadmin.web.formats import count

SHOWN = 5  # of each, the latest
LOOPBACK_IPV6 = "::/48"
Reason = RefusedName.Reason
_MISMATCHES = {
    Reason.TLS_VERSION: gettext_lazy("TLS too old: %(version)s, from %(client)s"),
    Reason.TLS_CIPHER: gettext_lazy("No common cipher: %(version)s, from %(client)s"),
    Reason.CLEARTEXT: gettext_lazy("No encryption, from %(client)s"),
    Reason.TLS_FIRST: gettext_lazy("TLS at once on the port for STARTTLS, from %(client)s"),
    Reason.TLS_MISSING: gettext_lazy("No TLS on the port for SSL/TLS, from %(client)s"),
}
_OLD_DEVICE = gettext_lazy(
    "Update the program or device. POP3S_LEGACY_LISTEN opens a port for devices that nobody can update."
)
_OTHER_ENCRYPTION = gettext_lazy("Choose another encryption, or another port, in the program.")
_MEANINGS = {
    Reason.TLS_VERSION: _OLD_DEVICE,
    Reason.TLS_CIPHER: gettext_lazy("Update the program or device."),
} | dict.fromkeys(RefusedName.ENCRYPTION, _OTHER_ENCRYPTION)
PROTOCOLS = {"pop3": gettext_lazy("POP"), "web": gettext_lazy("these pages")}


@dataclass(frozen=True, slots=True)
class Refused:
    """A name that nobody has, a limit, or a program with which TLS does not begin, in words.

    `who` is the name, or else the network; it is empty for texts that are no address. `until` is when the limit ends,
    if that is to come.
    """

    who: str
    is_address: bool
    text: str
    meaning: StrOrPromise
    last_at: datetime
    until: datetime | None
    meant: Near | None


@dataclass(frozen=True, slots=True)
class Lately:
    """The latest names, limits, and programs whose TLS is too old."""

    names: Sequence[Refused]
    limits: Sequence[Refused]
    tls: Sequence[Refused]


def lately(user: User) -> Lately:
    """Return the latest of each that the user may see. Three statements at most."""
    rows = access.refused_names(user).order_by("-last_at", "pk")
    kinds = ((Reason.UNKNOWN,), RefusedName.LIMITS, RefusedName.TLS)
    first, *others = (rows.filter(reason__in=kind)[:SHOWN] for kind in kinds)
    found = list(first.union(*others, all=True).order_by("-last_at", "pk"))
    return Lately(*(told([row for row in found if row.reason in kind], user) for kind in kinds))


def told(rows: Iterable[RefusedName], user: User) -> Sequence[Refused]:
    """Return the rows in words, and what was probably meant by the names. Two statements where there are names."""
    kept = list(rows)
    meant = _meant([row.name for row in kept if row.name and row.reason == Reason.UNKNOWN], user)
    return [_told(row, meant.get(row.name)) for row in kept]


def _told(row: RefusedName, meant: Near | None) -> Refused:
    if row.reason in _MISMATCHES:
        return _mismatch(row)
    is_limit = row.reason in RefusedName.LIMITS
    return Refused(
        who=row.name or (_network(row.network) if is_limit else ""),
        is_address=bool(row.name),
        text=_refused(row) if is_limit else _tries(row),
        meaning=_meaning(row) if is_limit else "",
        last_at=row.last_at,
        until=row.until if row.until and row.until > timezone.now() else None,
        meant=None if is_limit else meant,
    )


def _mismatch(row: RefusedName) -> Refused:
    """Return a client with which no TLS can begin, by its address where there was room for it."""
    text = ngettext("%(what)s, %(number)s time.", "%(what)s, %(number)s times.", row.tries)
    what = _MISMATCHES[Reason(row.reason)] % {
        "version": row.version or _("unknown version"), "client": row.name or _network(row.network)
    }  # fmt: skip
    return Refused(
        who=_network(row.network),
        is_address=False,
        text=text % {"what": what, "number": count(row.tries)},
        meaning=_MEANINGS[Reason(row.reason)],
        last_at=row.last_at,
        until=None,
        meant=None,
    )


def _refused(row: RefusedName) -> str:
    if row.reason == Reason.CONNECTIONS:
        text = ngettext("%(number)s connection was refused.", "%(number)s connections were refused.", row.tries)
    elif row.reason == Reason.ACCOUNT:
        text = ngettext(
            "%(number)s attempt from %(network)s was refused.",
            "%(number)s attempts from %(network)s were refused.",
            row.tries,
        )
    else:
        text = ngettext("%(number)s attempt was refused.", "%(number)s attempts were refused.", row.tries)
    return text % {"number": count(row.tries), "network": _network(row.network)}


def _tries(row: RefusedName) -> str:
    text = ngettext(
        "%(number)s attempt at %(protocol)s from %(network)s.",
        "%(number)s attempts at %(protocol)s from %(network)s.",
        row.tries,
    )
    protocol = PROTOCOLS.get(row.protocol, row.protocol)
    return text % {"number": count(row.tries), "protocol": protocol, "network": _network(row.network)}


def _network(network: str) -> str:
    if network == LOOPBACK_IPV6 or is_loopback(network):
        return _("this machine")
    return network or _("many networks")


def _meaning(row: RefusedName) -> str:
    if row.reason == Reason.NETWORK:
        text = _("It tried %(names)d names that nobody has within an hour, and is refused for the rest of that hour.")
        return text % {"names": UNKNOWN_ACCOUNTS_AN_HOUR}
    if row.reason == Reason.ACCOUNT:
        text = _("After %(passwords)d wrong passwords within a day, this network is refused. Others are not.")
        return text % {"passwords": WRONG_PASSWORDS_A_DAY}
    text = _("An address there had %(most)d connections at the same time. Further ones are refused until some end.")
    return text % {"most": settings.POP3_MAX_CONNECTIONS_PER_IP}


def _meant(names: Sequence[str], user: User) -> dict[str, Near]:
    """Return what was probably meant by each name, as far as this user may see it."""
    if not names:
        return {}
    aliases = access.aliases(user).filter(address__in=names).values_list("address", "pk")
    return nearest_name.mailboxes(names, user) | {address: Near(address, None, key) for address, key in aliases}
