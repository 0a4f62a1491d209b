"""Complete the name that somebody typed to sign in: old separators become @, a bare name gets a domain. Pure.

`DEFAULT_LOGIN_DOMAIN` and `LOGIN_SEPARATORS` say how; by default a name stays as it was typed. Whether the name opens
an account is for others to say.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mailstore.policy.addresses import BadAddress, Flaw, normal_domain, without_blanks

SEPARATORS = "%/+"  # that servers of old took between the name and the domain


@dataclass(frozen=True, slots=True)
class LoginNames:
    """How names are completed. A place is the name (SNI, Host) or the IP address by which the client called us."""

    domain: str | None = None
    domain_by_place: Mapping[str, str] = field(default_factory=dict)
    separators: str = ""

    def completed(self, typed: str, places: Iterable[str | None]) -> str:
        """Return an address for a name without @, if its separator or its place gives the domain; else the name.

        The first place with a domain of its own decides, then the domain of the site.
        """
        name = without_blanks(typed)
        if "@" in name or not name:
            return typed
        return self._separated(name) or self._with_domain(name, places) or typed

    def _separated(self, name: str) -> str | None:
        at = max((name.rfind(separator) for separator in self.separators), default=-1)
        if at < 1:
            return None
        try:
            return f"{name[:at]}@{normal_domain(name[at + 1 :])}"
        except BadAddress:
            return None

    def _with_domain(self, name: str, places: Iterable[str | None]) -> str | None:
        known = (self.domain_by_place.get(place.lower()) for place in places if place)
        domain = next(filter(None, known), self.domain)
        return f"{name}@{domain}" if domain else None


def read(domains: str, separators: str) -> LoginNames:
    """Read the two settings, such as `pop.example.net=example.net,192.0.2.7=example.org,example.test` and `%,/`.

    Raises BadAddress for what is no domain or no place, and ValueError for another separator.
    """
    site: str | None = None
    by_place: dict[str, str] = {}
    for item in filter(None, map(str.strip, domains.split(","))):
        place, equals, domain = item.rpartition("=")
        if equals:
            by_place[_place(place)] = normal_domain(domain)
        elif site is not None:
            raise BadAddress(Flaw.BAD_DOMAIN, item)
        else:
            site = normal_domain(domain)
    return LoginNames(site, by_place, _separators(separators))


def _place(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text.strip().strip("[]")))
    except ValueError:
        return normal_domain(text)


def _separators(text: str) -> str:
    found = "".join(part.strip() for part in text.split(","))
    if not set(found) <= set(SEPARATORS):
        raise ValueError(text)
    return found
