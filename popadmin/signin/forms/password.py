"""The forms of a new password: with the current one, and through a mailed link."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from mailstore.models import User
from popadmin.signin.forms.current_password import proven

_AGAIN = _("Repeat the new password")


class ChangePassword(PasswordChangeForm):
    """The current password, and the new one twice, with Django's validators from the settings. The view saves it."""

    def __init__(self, user: User, *args: Any, client: str, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self.client = client
        self.fields["old_password"].label = _("Current password")
        self.fields["new_password2"].label = _AGAIN

    def clean_old_password(self) -> str:
        return proven(self.user, self.client, self.cleaned_data["old_password"])

    def clean_new_password1(self) -> str:
        chosen: str = self.cleaned_data["new_password1"]
        if chosen == self.cleaned_data.get("old_password"):
            raise ValidationError(_("This is your current password: choose another."), "same")
        return chosen


class ResetPassword(SetPasswordForm):  # type: ignore[type-arg]  # settings load too early to make it generic
    """The new password, twice; users who come through the link have forgotten the old one."""

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self.fields["new_password2"].label = _AGAIN
