"""The mail with a link for one new password, for who forgot it. `invitation_link` is for who has none yet."""

from __future__ import annotations

from django.contrib.auth.tokens import default_token_generator
from django.core.mail import EmailMessage
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import get_language

from mailstore.models import User
from popadmin.web.mailer import compose


def mail(request: HttpRequest, user: User) -> EmailMessage:
    """Return the mail to the user's recovery address, in their language.

    A link is valid for PASSWORD_RESET_TIMEOUT, and only until the password, the recovery address or the last sign-in
    changes. So it works once.
    """
    uid = urlsafe_base64_encode(str(user.pk).encode())
    token = default_token_generator.make_token(user)
    link = request.build_absolute_uri(reverse("password-reset", args=[uid, token]))
    language = user.language or get_language() or ""
    return compose("new_password", user.recovery_address, language, address=user.address, link=link)
