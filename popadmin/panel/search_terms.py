"""Convert what users type into a search to the stored form, and to conditions: lower case, domains in A-labels."""

from __future__ import annotations

from django.db.models import Q

from mailstore.policy.addresses import BadAddress, normal_domain
from popadmin.lists.columns import SEARCH_CHARACTERS


def domain_name(query: str) -> str:
    """Return the A-labels of a domain name; part of a name is returned as it is."""
    part = query.strip().lower()
    try:
        return normal_domain(part)
    except BadAddress:
        return part


def spellings(query: str) -> list[str]:
    """Return the spellings to search for: the text, and a second one if its domain is written in another script."""
    part = query.lower()
    if part.isascii():
        return [part]
    local_part, at, domain = part.rpartition("@")
    stored = f"{local_part}{at}{domain_name(domain)}"
    return [part] if stored == part else [part, stored]


def address_or_name(query: str, user: str) -> Q:
    """Search any part of either, in any case; domains are stored in A-labels. `user` is the path to the user.

    A trigram index cannot find fewer than three characters: these find only the beginnings of addresses.
    """
    if len(query) < SEARCH_CHARACTERS:
        return Q(**{f"{user}address__startswith": query.lower()})
    found = Q(**{f"{user}name__icontains": query})
    for part in spellings(query):
        found |= Q(**{f"{user}address__contains": part})
    return found
