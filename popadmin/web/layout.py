"""The frame of every page: the menu of the signed-in user, the breadcrumbs, the theme, the languages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse, reverse_lazy
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from mailstore.models import User
from mailstore.policy.addresses import shown_domain
from popadmin.web import menu_counts, people

THEME_COOKIE = "theme"
THEMES: dict[str, tuple[Promise, str]] = {
    "auto": (_("As my system"), "circle-half"),
    "light": (_("Light"), "sun"),
    "dark": (_("Dark"), "moon-stars"),
}
DEFAULT_THEME = "auto"
INITIALS = 2


@dataclass(frozen=True, slots=True)
class MenuItem:
    """A page of the menu; `is_visible` says who sees it. The pages below it have URL names `name-…`."""

    name: str
    label: Promise
    icon: str
    is_visible: Callable[[User], bool]
    is_tab: bool = False  # in the bar at the foot of an owner's phone


@dataclass(frozen=True, slots=True)
class MenuLink:
    """A page of the menu as this user sees it. `alert`: its count is a number of faults."""

    url: str
    label: Promise
    icon: str
    current: bool
    is_tab: bool
    count: int | None = None
    alert: bool = False


@dataclass(frozen=True, slots=True)
class MenuGroup:
    label: Promise | None
    links: list[MenuLink]


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in, as the foot of the menu shows it."""

    name: str
    role: Promise | str
    initials: str


@dataclass(frozen=True, slots=True)
class Menu:
    """The menu of a user; empty for users who are not signed in, or must choose a new password first."""

    groups: list[MenuGroup]
    person: Person | None = None
    searchable: bool = False

    @property
    def tabs(self) -> list[MenuLink]:
        """Return the pages of the bar at the foot of a phone: only owners have one."""
        return [] if self.searchable else [link for group in self.groups for link in group.links if link.is_tab]

    @property
    def here(self) -> Promise | None:
        links = (link for group in self.groups for link in group.links if link.current)
        return next((link.label for link in links), None)


MENU: tuple[tuple[Promise | None, tuple[MenuItem, ...]], ...] = (
    (
        None,
        (
            MenuItem("overview", _("Overview"), "activity", people.is_admin),
            MenuItem("trace", _("Trace a message"), "signpost-2", people.is_admin),
        ),
    ),
    (
        _("Mail"),
        (
            MenuItem("domains", _("Domains"), "globe2", people.is_admin),
            MenuItem("mailboxes", _("Mailboxes"), "inboxes", people.is_admin),
            MenuItem("aliases", _("Aliases"), "at", people.is_admin),
            MenuItem("policies", _("Retention"), "hourglass-split", people.is_admin),
        ),
    ),
    (
        _("Site"),
        (
            MenuItem("admins", _("Administrators"), "people", people.is_host),
            MenuItem("visits", _("Sign-ins"), "key", people.is_admin),
            MenuItem("operations", _("Recent operations"), "clock-history", people.is_admin),
            MenuItem("audit", _("Audit"), "journal-text", people.is_admin),
            MenuItem("mail-flow", _("Mail flow"), "broadcast", people.is_host),
            MenuItem("overview-parts", _("Parts, certificates"), "hdd-network", people.is_host),
        ),
    ),
    (
        None,
        (
            MenuItem("mailbox", _("My mailbox"), "inbox", people.has_mailbox, is_tab=True),
            MenuItem("messages", _("Messages"), "envelope", people.has_mailbox, is_tab=True),
            MenuItem("devices", _("Devices"), "laptop", people.has_mailbox, is_tab=True),
            MenuItem("recovery", _("Recovery"), "arrow-counterclockwise", people.has_mailbox, is_tab=True),
            MenuItem("diary", _("Diary"), "journal-text", people.has_mailbox),
            MenuItem("mailbox-trace", _("What arrived"), "signpost-2", people.has_mailbox),
            MenuItem("settings", _("Settings"), "gear", lambda _user: True),
        ),
    ),
)


def layout(request: HttpRequest) -> dict[str, Any]:
    """Return the context of every page (a Django context processor)."""
    return {"theme": theme(request), "themes": THEMES, "menu": menu(request)}


def theme(request: HttpRequest) -> str:
    chosen = request.COOKIES.get(THEME_COOKIE, DEFAULT_THEME)
    return chosen if chosen in THEMES else DEFAULT_THEME


def menu(request: HttpRequest) -> Menu:
    """Return the user's menu."""
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return Menu([])
    if user.must_change_password:
        return Menu([], person(user))
    here = _current(request.resolver_match.view_name if request.resolver_match else "")
    counts = menu_counts.of(request, user)
    groups = [
        MenuGroup(label, [_link(item, here, counts.get(item.name)) for item in items if item.is_visible(user)])
        for label, items in MENU
    ]
    return Menu([group for group in groups if group.links], person(user), people.is_admin(user))


def person(user: User) -> Person:
    local_part, _at, domain = user.address.partition("@")
    name = user.name or local_part
    words = [word for word in name.replace(".", " ").replace("-", " ").split() if word]
    initials = "".join(word[0] for word in words[:INITIALS]).upper()
    return Person(name, _role(user, domain), initials)


def _role(user: User, domain: str) -> Promise | str:
    if people.is_host(user):
        return pgettext_lazy("foot", "Hosting admin")
    return pgettext_lazy("foot", "Domain admin") if people.is_admin(user) else shown_domain(domain)


def _current(view_name: str) -> str:
    """Return the name of the menu's page that is shown, or that the page shown is below."""
    names = {item.name for _label, items in MENU for item in items}
    return view_name if view_name in names else view_name.partition("-")[0]


def _link(item: MenuItem, here: str, count: int | None) -> MenuLink:
    return MenuLink(
        url=reverse(item.name),
        label=item.label,
        icon=item.icon,
        current=item.name == here,
        is_tab=item.is_tab,
        count=count,
        alert=item.name in menu_counts.ALERTS,
    )


@dataclass(frozen=True, slots=True)
class Breadcrumb:
    label: Promise | str
    url: Promise | str


def breadcrumb(label: Promise | str, name: str, *args: object) -> Breadcrumb:
    """Return a link to the page with this URL name; `breadcrumbs` in the context lists them, the topmost first."""
    return Breadcrumb(label, reverse_lazy(name, args=args))
