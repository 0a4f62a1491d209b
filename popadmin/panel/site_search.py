"""Search everything that an admin may see by one text: domains, mailboxes, aliases, people, policies, pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from mailstore.models import Alias, Domain, Mailbox, RetentionPolicy, User
from mailstore.models.columns import has_words
from mailstore.policy import plain_text
from mailstore.policy.addresses import shown_domain
from popadmin.panel import access
from popadmin.panel.domain_filters import AliasFilters, DomainFilters
from popadmin.panel.search_terms import address_or_name
from popadmin.web import mailbox_state, people
from popadmin.web.formats import count
from popadmin.web.layout import MenuLink

SHOWN = 5  # of each kind; the rest is in the kind's list
COUNTED_MOST = 1_000  # hits; how many more there are is not counted
LEAST_CHARACTERS = 2


@dataclass(frozen=True, slots=True)
class Hit:
    """One row: `fact` says what it is or what is wrong with it; `level` colours the fact ("bad", "warn" or "")."""

    text: str
    url: str
    icon: str
    fact: str = ""
    level: str = ""


@dataclass(frozen=True, slots=True)
class HitGroup:
    """The hits of one kind, at most SHOWN; if there are more, their list is at `more_url`."""

    label: Promise
    hits: list[Hit]
    total: str = ""
    more_url: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """What is searched: the rows that match, the hits of those that are shown, and the page that lists all of them."""

    label: Promise
    rows: Callable[[User, str], QuerySet[Any]]
    hits: Callable[[list[Any]], list[Hit]]
    list_name: str


def search(user: User, query: str, pages: Iterable[MenuLink]) -> list[HitGroup]:
    """Return the groups that have hits, in a constant number of statements. A short query finds only pages."""
    groups = [_group(kind, user, query) for kind in KINDS] if len(query) >= LEAST_CHARACTERS else []
    domains = groups[0].hits if groups else []
    ways = [*_new_mailbox(domains), *_actions(user, query), *_pages(query, pages), *_traced(query)]
    groups.append(HitGroup(gettext_lazy("Pages and actions"), ways))
    return [group for group in groups if group.hits]


def _group(kind: Kind, user: User, query: str) -> HitGroup:
    rows = kind.rows(user, query)
    found = list(rows[: SHOWN + 1])
    hits = kind.hits(found[:SHOWN])
    if len(found) <= SHOWN:
        return HitGroup(kind.label, hits)
    number = rows.order_by().values("pk")[: COUNTED_MOST + 1].count()
    total = count(number) if number <= COUNTED_MOST else _("more than %(count)s") % {"count": count(COUNTED_MOST)}
    return HitGroup(kind.label, hits, total, f"{reverse(kind.list_name)}?{urlencode({'q': query})}")


def _domains(user: User, query: str) -> QuerySet[Any]:
    rows: QuerySet[Any] = DomainFilters({"q": query}).narrow(access.domains(user))
    return rows.order_by("name")


def _domain_hits(rows: list[Domain]) -> list[Hit]:
    held = Mailbox.objects.filter(domain__in=rows, removed_at=None).order_by().values_list("domain")
    numbers = dict(held.annotate(number=Count("pk")))
    return [_domain(row, numbers.get(row.pk, 0)) for row in rows]


def _domain(row: Domain, mailboxes: int) -> Hit:
    fact = ngettext("%(count)s mailbox", "%(count)s mailboxes", mailboxes) % {"count": count(mailboxes)}
    url = reverse("domains-one", args=[row.pk])
    return Hit(shown_domain(row.name), url, "globe2", fact if row.active else _("suspended"))


def _mailboxes(user: User, query: str) -> QuerySet[Any]:
    return access.mailboxes(user).filter(address_or_name(query, "user__")).order_by("user__address")


def _mailbox(row: Mailbox) -> Hit:
    worst = next(iter(mailbox_state.states(row)), None)
    fact, level = (str(worst.word), worst.level) if worst else (row.user.name, "")
    return Hit(row.user.address, reverse("mailboxes-one", args=[row.pk]), "inbox", fact, level)


def _aliases(user: User, query: str) -> QuerySet[Any]:
    rows: QuerySet[Any] = AliasFilters({"q": query}).narrow(access.aliases(user))
    return rows.order_by("address")


def _alias(row: Alias) -> Hit:
    first, *others = row.targets
    fact = _("to %(address)s") % {"address": first}
    if others:
        fact = _("to %(address)s and %(count)s more") % {"address": first, "count": count(len(others))}
    return Hit(row.address, reverse("aliases-one", args=[row.pk]), "at", fact)


def _people(user: User, query: str) -> QuerySet[Any]:
    return access.admins(user).filter(address_or_name(query, "")).order_by("address")


def _person(row: User) -> Hit:
    fact = _("hosting admin") if people.is_host(row) else _("domain admin")
    return Hit(row.address, reverse("admins-one", args=[row.pk]), "people", fact)


def _policies(user: User, query: str) -> QuerySet[Any]:
    return access.policies(user).filter(has_words(query, "name")).order_by("name")


def _policy(row: RetentionPolicy) -> Hit:
    return Hit(row.name, reverse("policies-one", args=[row.pk]), "hourglass-split")


def _new_mailbox(domains: list[Hit]) -> list[Hit]:
    """Offer a new mailbox in the first domain that was found."""
    return [
        Hit(
            _("New mailbox in %(domain)s") % {"domain": hit.text},
            f"{reverse('mailboxes-new')}?{urlencode({'domain': hit.text})}",
            "plus-lg",
        )
        for hit in domains[:1]
    ]


def _actions(user: User, query: str) -> list[Hit]:
    """Offer what can be created or imported, by the words of its label."""
    return [
        Hit(str(label), reverse(name), icon)
        for name, label, icon, is_visible in _ACTIONS
        if is_visible(user) and plain_text.has_words(str(label), query)
    ]


def _pages(query: str, pages: Iterable[MenuLink]) -> list[Hit]:
    return [Hit(str(page.label), page.url, page.icon) for page in pages if plain_text.has_words(str(page.label), query)]


def _traced(query: str) -> list[Hit]:
    """Offer to look for mail from or to what was typed."""
    if "@" not in query and "." not in query:
        return []
    text = _("Trace mail of “%(text)s”") % {"text": query}
    return [Hit(text, f"{reverse('trace')}?{urlencode({'q': query})}", "signpost-2")]


def _each(hit: Callable[[Any], Hit]) -> Callable[[list[Any]], list[Hit]]:
    return lambda rows: [hit(row) for row in rows]


_ACTIONS: tuple[tuple[str, Promise, str, Callable[[User], bool]], ...] = (
    ("mailboxes-new", gettext_lazy("New mailbox"), "plus-lg", people.is_admin),
    ("aliases-new", gettext_lazy("New alias"), "plus-lg", people.is_admin),
    ("domains-new", gettext_lazy("New domain"), "plus-lg", people.is_host),
    ("mailboxes-imports", gettext_lazy("Import mailboxes"), "inboxes", people.is_admin),
)
KINDS = (
    Kind(gettext_lazy("Domains"), _domains, _domain_hits, "domains"),
    Kind(gettext_lazy("Mailboxes"), _mailboxes, _each(_mailbox), "mailboxes"),
    Kind(gettext_lazy("Aliases"), _aliases, _each(_alias), "aliases"),
    Kind(gettext_lazy("Administrators"), _people, _each(_person), "admins"),
    Kind(gettext_lazy("Retention"), _policies, _each(_policy), "policies"),
)
