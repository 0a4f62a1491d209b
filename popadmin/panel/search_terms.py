"""Convert what users type into a search to conditions: words in any order, without case and accents.

Domains are stored in A-labels, and also found by any part of their Unicode names.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from django.db.models import Func, Q
from django.db.models.lookups import Contains

from mailstore.models import Domain
from mailstore.models.columns import plain
from mailstore.policy.addresses import BadAddress, normal_domain, shown_domain
from mailstore.policy.plain_text import fold
from popadmin.lists.columns import SEARCH_CHARACTERS

A_LABEL = "xn--"


def domain_name(query: str) -> str:
    """Return the A-labels of a domain name; part of a name is returned as it is."""
    part = query.strip().lower()
    try:
        return normal_domain(part)
    except BadAddress:
        return part


def words_in(query: str, *texts: str | Func, beginnings: Sequence[str]) -> Q:
    """Search for all words, each in any of the texts, which together have a trigram index.

    The index cannot find words of fewer than three characters: alone, they find only the beginnings of these
    columns. One statement reads the Unicode names of domains.
    """
    words = query.split()
    if not words or max(map(len, words)) < SEARCH_CHARACTERS:
        return _any(Q(**{f"{column}__startswith": query.lower()}) for column in beginnings)
    return words_anywhere(query, *texts)


def words_anywhere(query: str, *texts: str | Func) -> Q:
    """Search for all words, also short ones, each in any of the texts: for a table that needs no index."""
    names, searched, found = _unicode_names(), plain(*texts), Q()
    for word in query.split():
        found &= _any(Q(Contains(searched, spelling)) for spelling in _spellings(word, names))
    return found


def address_or_name(query: str, user: str) -> Q:
    """Search the address and the name of users; `user` is the path to the user."""
    return words_in(query, f"{user}address", f"{user}name", beginnings=[f"{user}address"])


def domain_words(query: str, name: str = "name") -> Q:
    """Search for all words, each in any part of a domain's name or of its Unicode name. `name` is the path to it."""
    names, found = _unicode_names(), Q()
    for word in query.split():
        spelled = _spellings(word, names)
        found &= _any(Q(**{f"{name}__contains": spelling}) for spelling in spelled)
    return found


def _spellings(word: str, names: dict[str, str]) -> list[str]:
    """Return how addresses may spell a word: as typed, and with the A-labels of domains of which it is a part."""
    local_part, at, part = fold(word).rpartition("@")
    spelled = {f"{local_part}{at}{part}": None, f"{local_part}{at}{domain_name(word.rpartition('@')[2])}": None}
    for name, unicode_name in names.items():
        if part not in name and (unicode_name.startswith(part) if at else part in unicode_name):
            spelled[f"{local_part}{at}{name}"] = None
    return list(spelled)


def _unicode_names() -> dict[str, str]:
    """Return the domains with A-labels, which are few, each with its folded Unicode name."""
    names = Domain.objects.filter(name__contains=A_LABEL).values_list("name", flat=True)
    return {name: _folded(name) for name in names}


@lru_cache(maxsize=4096)
def _folded(name: str) -> str:
    return fold(shown_domain(name))


def _any(conditions: Iterable[Q]) -> Q:
    found = Q()
    for condition in conditions:
        found |= condition
    return found
