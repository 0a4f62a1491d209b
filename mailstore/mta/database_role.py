"""The password by which the MTA signs in to the database: made and set, where the role has none yet."""

from __future__ import annotations

import secrets

from django.utils.translation import gettext as _

from mailstore.directory import mta_role
from mailstore.directory.outcome import Rejected

PASSWORD_OCTETS = 24  # random; no person types it
PLACEHOLDER = "PASSWORD"  # in a preview


def new_password(*, may_change: bool) -> str:
    """Make the role with a password, which is returned. With `may_change`, an existing role gets a new one.

    Rejected where popadmin's own user of the database may not do that, and where the role is there: other MTAs may use
    its password.
    """
    role = mta_role.ROLE
    if mta_role.exists(role) and not may_change:
        raise Rejected(
            _("the role %(role)s is there: give its password by --password-stdin, or a new one by --new-password")
            % {"role": role}
        )
    password = secrets.token_urlsafe(PASSWORD_OCTETS)
    if not mta_role.apply(mta_role.steps(role, password=password)):
        raise Rejected(
            _("popadmin may not create the role %(role)s: do what mta grant --print says, then use --password-stdin")
            % {"role": role}
        )
    return password
