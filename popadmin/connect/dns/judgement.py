"""What the difference between wanted and found records means. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from enum import StrEnum

from popadmin.connect.dns.lookup import Answer, Outcome
from popadmin.connect.dns.record import Purpose, RecordSet


class State(StrEnum):
    """How a set of records stands."""

    GOOD = "good"
    MISSING = "missing"
    DIFFERENT = "different"
    UNKNOWN = "unknown"  # DNS did not answer


def state(records: RecordSet, answer: Answer, host: Answer) -> State:
    """Compare a set with what was found under its name. `host` is what DNS says of the host of our pages."""
    if answer.outcome == Outcome.FAILED:
        return State.UNKNOWN
    found = _MEANT[records.purpose](answer.texts)
    if not found:
        return _not_there(records)
    if records.purpose == Purpose.HOST:
        return _leads_to(records, found, host)
    return State.GOOD if _FITS[records.purpose](records.texts, found) else State.DIFFERENT


def _not_there(records: RecordSet) -> State:
    """A service that is not offered needs no record that says so."""
    is_denial = records.purpose == Purpose.SERVICE and all(text.endswith(" .") for text in records.texts)
    return State.GOOD if is_denial else State.MISSING


def _leads_to(records: RecordSet, found: Sequence[str], host: Answer) -> State:
    """Tell whether a name leads to our pages: by a CNAME, or by an address that is theirs too."""
    if not {*records.texts, *host.texts}.isdisjoint(found):
        return State.GOOD
    return State.UNKNOWN if host.outcome == Outcome.FAILED else State.DIFFERENT


def _beginning(*starts: str) -> Callable[[Sequence[str]], list[str]]:
    """Return what picks the texts with this version from all TXT records of a name."""
    return lambda texts: [text for text in texts if text.lower().startswith(starts)]


def _same_hosts(wanted: Sequence[str], found: Sequence[str]) -> bool:
    """RFC 5321 §5.1: the preferences only order the hosts, so any figures will do."""
    return {text.partition(" ")[2].lower() for text in wanted} == {text.partition(" ")[2] for text in found}


def _same_targets(wanted: Sequence[str], found: Sequence[str]) -> bool:
    """RFC 2782: port and target decide where a program connects; priority and weight only order them."""
    return {tuple(text.lower().split()[2:]) for text in wanted} == {tuple(text.split()[2:]) for text in found}


def _one_like_it(wanted: Sequence[str], found: Sequence[str]) -> bool:
    """RFC 7208 §3.2: with two SPF records, receivers take none."""
    return len(found) == 1 and found[0].lower().split() == wanted[0].lower().split()


def _key(wanted: Sequence[str], found: Sequence[str]) -> bool:
    """RFC 6376 §3.6.1: blanks count for nothing, and an empty `p=` revokes the key."""
    keys = {_without_blanks(text) for text in found}
    if wanted:
        return keys == {_without_blanks(text) for text in wanted}
    return any(re.search(r"(?:^|;)p=[^;]", key) for key in keys)


def _without_blanks(text: str) -> str:
    return "".join(text.split()).rstrip(";")


# What of the found texts is meant by the wanted one: other TXT records may stand beside it.
_MEANT: dict[Purpose, Callable[[Sequence[str]], Sequence[str]]] = {
    Purpose.ADDRESS: tuple,
    Purpose.MX: tuple,
    Purpose.SPF: _beginning("v=spf1 ", "v=spf1\t"),
    Purpose.DKIM: tuple,
    Purpose.DMARC: _beginning("v=dmarc1"),
    Purpose.SERVICE: tuple,
    Purpose.HOST: tuple,
    Purpose.PACC: _beginning("v=uaac1"),
}
_FITS: dict[Purpose, Callable[[Sequence[str], Sequence[str]], bool]] = {
    Purpose.ADDRESS: lambda _wanted, found: bool(found),
    Purpose.MX: _same_hosts,
    Purpose.SPF: _one_like_it,
    Purpose.DKIM: _key,
    Purpose.DMARC: lambda _wanted, found: len(found) == 1,  # which policy is the customer's own affair
    Purpose.SERVICE: _same_targets,
    Purpose.PACC: lambda wanted, found: wanted[0] in found,  # several may stand while one replaces another
}
