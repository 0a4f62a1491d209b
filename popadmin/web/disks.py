"""The disks that mail needs, with what is the matter with each: for the overview."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from mailstore.errors import MailError, StorageFull
from mailstore.integrity import readiness


@dataclass(frozen=True, slots=True)
class Disk:
    """`place` says where it is; `trouble` None: it has room."""

    label: Promise
    place: str
    trouble: Promise | None


def disks() -> list[Disk]:
    """Each is tried with a small write."""
    database = settings.DATABASES["default"]
    place = str(settings.DATA_DIR / "postgres") if settings.DATABASE_IS_PRIVATE else str(database.get("HOST", ""))
    return [
        Disk(_("Disk of the database"), place, _trouble(readiness.database_disk)),
        Disk(_("Disk of the mail"), settings.MAIL_STORE_URL.removeprefix("file:"), _trouble(readiness.body_disk)),
    ]


def _trouble(probe: Callable[[], None]) -> Promise | None:
    try:
        probe()
    except StorageFull:
        return _("full")
    except (MailError, DatabaseError):
        return _("cannot be written")
    return None
