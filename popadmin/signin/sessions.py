"""The web sessions (Django's SESSION_ENGINE): their users, where they are used, and how they end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from mailstore.models import User, WebSession


class SessionStore(DatabaseStore):
    """Django's session rows, with the user in a column of its own."""

    @classmethod
    def get_model_class(cls) -> type[WebSession]:
        return WebSession

    def create_model_instance(self, data: dict[str, Any]) -> WebSession:
        row: WebSession = super().create_model_instance(data)  # type: ignore[assignment]  # of get_model_class
        row.user_id = data.get(SESSION_KEY)
        return row


@dataclass(frozen=True, slots=True)
class Session:
    """`handle` identifies the session on its owner's page: the key itself would be as good as the password."""

    handle: str
    since: datetime | None
    seen: datetime | None
    client: str
    browser: str
    here: bool


def of(user: User, *, here: str | None) -> list[Session]:
    """Return the user's open sessions, first the one with the key `here`, then the most recently used."""
    found = [_session(key, data, here) for key, data in _open(user)]
    oldest = datetime.fromtimestamp(0, UTC)
    return sorted(found, key=lambda session: (session.here, session.seen or oldest), reverse=True)


def keys(user: User, *, but: str | None, handle: str | None = None) -> list[str]:
    """Return the keys of the user's open sessions except `but`; only one if its handle is given."""
    return [key for key, _data in _open(user) if key != but and handle in (None, _handle(key))]


def _open(user: User) -> list[tuple[str, dict[str, Any]]]:
    """Return the open sessions. A session that began with another password is over, though its row still exists."""
    store, now = SessionStore(), timezone.now()
    rows = WebSession.objects.filter(user=user, expire_date__gt=now).values_list("session_key", "session_data")
    decoded = [(key, store.decode(data)) for key, data in rows]
    valid = user.get_session_auth_hash()
    return [(key, data) for key, data in decoded if data.get(HASH_SESSION_KEY) == valid]


def _session(key: str, data: dict[str, Any], here: str | None) -> Session:
    return Session(
        handle=_handle(key),
        since=_moment(data.get("since")),
        seen=_moment(data.get("seen")),
        client=str(data.get("client", "")),
        browser=browser(str(data.get("agent", ""))),
        here=key == here,
    )


def _moment(seconds: object) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int) else None


def _handle(key: str) -> str:
    return salted_hmac("popadmin.signin.sessions", key).hexdigest()[:16]


# Browsers also send the names of others: the first match is right.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
KEPT_CHARACTERS = 300  # of the User-Agent; the names are within them


def browser(agent: str) -> str:
    """Return a name such as `Firefox, Windows`; "another browser" if unknown."""
    known = [next((name for mark, name in names if mark in agent), "") for names in (BROWSERS, SYSTEMS)]
    return ", ".join(filter(None, known)) or _("another browser")
