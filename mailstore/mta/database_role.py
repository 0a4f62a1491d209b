"""The role by which the MTA signs in to the database, and its password."""

from __future__ import annotations

import secrets

from django.utils.translation import gettext as _

from mailstore.directory import mta_role
from mailstore.directory.outcome import Rejected

PASSWORD_OCTETS = 24  # random; no person types it
PLACEHOLDER = "PASSWORD"  # in a preview


def new_password(*, may_change: bool) -> str:
    """Return a password that nobody has yet.

    Rejected where the role is there, unless `may_change`: other MTAs may use its password.
    """
    role = mta_role.ROLE
    if mta_role.exists(role) and not may_change:
        raise Rejected(
            _("the role %(role)s is there: give its password by --password-stdin, or a new one by --new-password")
            % {"role": role}
        )
    return secrets.token_urlsafe(PASSWORD_OCTETS)


def give(password: str) -> None:
    """Make the role with this password, or give it to the one that is there.

    Rejected where popadmin's own user of the database may not do that.
    """
    role = mta_role.ROLE
    if not mta_role.apply(mta_role.steps(role, password=password)):
        raise Rejected(
            _("popadmin may not create the role %(role)s: do what mta grant --print says, then use --password-stdin")
            % {"role": role}
        )
