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

# Texts in a User-Agent. Browsers also send the names of others: the first match is right.
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
USER_AGENT_CHARACTERS = 300  # that a session keeps; the names are within them


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
    """An open session as its user sees it.

    `handle` identifies it on the page: the key itself would be as good as the password.
    """

    handle: str
    started_at: datetime | None
    last_seen_at: datetime | None
    client: str
    browser: str
    is_current: bool


def open_sessions(user: User, *, current_key: str | None) -> list[Session]:
    """Return the user's open sessions: first the one with `current_key`, then the most recently used."""
    found = [_session(key, data, is_current=key == current_key) for key, data in _open_rows(user)]
    oldest = datetime.fromtimestamp(0, UTC)
    return sorted(found, key=lambda session: (session.is_current, session.last_seen_at or oldest), reverse=True)


def session_keys(user: User, *, except_key: str | None, handle: str | None = None) -> list[str]:
    """Return the keys of the user's open sessions without `except_key`; with a handle, only the key that it means."""
    return [key for key, _data in _open_rows(user) if key != except_key and handle in (None, _handle(key))]


def _open_rows(user: User) -> list[tuple[str, dict[str, Any]]]:
    """Return the open sessions. A session that began with another password is over, though its row still exists."""
    store, now = SessionStore(), timezone.now()
    rows = WebSession.objects.filter(user=user, expire_date__gt=now).values_list("session_key", "session_data")
    decoded = [(key, store.decode(data)) for key, data in rows]
    valid = user.get_session_auth_hash()
    return [(key, data) for key, data in decoded if data.get(HASH_SESSION_KEY) == valid]


def _session(key: str, data: dict[str, Any], *, is_current: bool) -> Session:
    return Session(
        handle=_handle(key),
        started_at=_moment(data.get("since")),
        last_seen_at=_moment(data.get("seen")),
        client=str(data.get("client", "")),
        browser=browser_name(str(data.get("agent", ""))),
        is_current=is_current,
    )


def _moment(seconds: object) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int) else None


def _handle(key: str) -> str:
    return salted_hmac("popadmin.signin.sessions", key).hexdigest()[:16]


def browser_name(agent: str) -> str:
    """Return a name such as `Firefox, Windows`, so that users recognise their browser; it decides nothing."""
    names = [next((name for text, name in table if text in agent), "") for table in (BROWSERS, SYSTEMS)]
    return ", ".join(filter(None, names)) or _("another browser")
