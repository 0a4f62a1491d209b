"""Say what to do when the database cannot be reached, in one sentence for every command."""

from __future__ import annotations

from django.conf import settings
from django.db import connection


def remedy() -> str:
    """Return the sentence."""
    if settings.DATABASE_IS_PRIVATE:
        return (
            f"no popadmin runs on the data folder {settings.DATA_DIR}: start it (`popadmin up`), or set "
            "POPADMIN_DATA_DIR to the folder that `up` printed, or DATABASE_URL to a database of your own"
        )
    found = connection.settings_dict
    where = f"{found['HOST'] or 'localhost'}:{found['PORT'] or 5432}"
    return f"the database at {where} is away: start it, or set DATABASE_URL to where it is"
