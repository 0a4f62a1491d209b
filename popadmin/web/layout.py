"""The frame of every page: the menu of the signed-in user, the breadcrumbs, the theme, the languages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse, reverse_lazy
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from mailstore.models import User
from popadmin.web import people

THEME_COOKIE = "theme"
THEMES: dict[str, tuple[Promise, str]] = {
    "light": (_("Light"), "sun"),
    "dark": (_("Dark"), "moon-stars"),
    "auto": (_("Automatic"), "circle-half"),
}
DEFAULT_THEME = "auto"


@dataclass(frozen=True, slots=True)
class MenuItem:
    """A page of the menu; `is_visible` says who sees it. The pages below it have URL names `name-…`."""

    name: str
    label: Promise
    icon: str
    is_visible: Callable[[User], bool]


MENU = (
    MenuItem("overview", _("Overview"), "speedometer2", people.is_admin),
    MenuItem("domains", _("Domains"), "globe2", people.is_admin),
    MenuItem("mailboxes", _("Mailboxes"), "inboxes", people.is_admin),
    MenuItem("aliases", _("Aliases"), "signpost-split", people.is_admin),
    MenuItem("policies", _("Retention"), "hourglass-split", people.is_admin),
    MenuItem("admins", _("Administrators"), "people", people.is_host),
    MenuItem("audit", _("Audit"), "clock-history", people.is_admin),
    MenuItem("mailbox", _("My mailbox"), "inbox", people.has_mailbox),
    MenuItem("messages", _("Messages"), "envelope", people.has_mailbox),
    MenuItem("recovery", _("Recovery"), "arrow-counterclockwise", people.has_mailbox),
    MenuItem("diary", _("Diary"), "journal-text", people.has_mailbox),
    MenuItem("devices", _("Devices"), "phone", people.has_mailbox),
    MenuItem("settings", _("Settings"), "gear", lambda _user: True),
)


def layout(request: HttpRequest) -> dict[str, Any]:
    """Return the context of every page (a Django context processor)."""
    return {"theme": theme(request), "themes": THEMES, "menu": menu(request)}


def theme(request: HttpRequest) -> str:
    chosen = request.COOKIES.get(THEME_COOKIE, DEFAULT_THEME)
    return chosen if chosen in THEMES else DEFAULT_THEME


def menu(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the user's menu; empty for users who are not signed in, or must choose a new password first."""
    user = getattr(request, "user", None)
    if not isinstance(user, User) or user.must_change_password:
        return []
    here = request.resolver_match.view_name.partition("-")[0] if request.resolver_match else None
    return [
        {"url": reverse(item.name), "label": item.label, "icon": item.icon, "current": item.name == here}
        for item in MENU
        if item.is_visible(user)
    ]


@dataclass(frozen=True, slots=True)
class Breadcrumb:
    label: Promise | str
    url: Promise | str


def breadcrumb(label: Promise | str, name: str, *args: object) -> Breadcrumb:
    """Return a link to the page with this URL name; `breadcrumbs` in the context lists them, the topmost first."""
    return Breadcrumb(label, reverse_lazy(name, args=args))
