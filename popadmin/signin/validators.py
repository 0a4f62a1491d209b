"""A password validator for Django: every mail program must be able to send the password."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from mailstore.models import User

# RFC 2449 §4: a command line has at most 255 octets; "PASS " and CRLF take seven, and old clients stop earlier.
LONGEST_OCTETS = 200


class FitForMailPrograms:
    """Refuse control characters, and passwords too long for a POP3 command line. For the pages and the shell."""

    holds_for_existing = True

    def validate(self, password: str, user: User | None = None) -> None:
        if not password.strip().isprintable():  # blanks around it are refused by another rule
            raise ValidationError(_("The password has a character that mail programs cannot send."), "unprintable")
        if len(password.encode()) > LONGEST_OCTETS:
            raise ValidationError(self.get_help_text(), "too_long")

    def get_help_text(self) -> str:
        return _("Your password must have at most %(octets)d bytes.") % {"octets": LONGEST_OCTETS}
