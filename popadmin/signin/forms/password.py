"""The form of changing one's password."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.forms import PasswordChangeForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from mailstore.models import User
from popadmin.signin.forms.sign_in import SignIn
from popadmin.signin.guesses import guesses


class ChangePassword(PasswordChangeForm):
    """The old password, the new one twice; Django's validators as the settings name them. The view saves."""

    error_messages = {
        **PasswordChangeForm.error_messages,
        "password_incorrect": _("This is not your present password."),
        "barred": SignIn.error_messages["barred"],
    }

    def __init__(self, user: User, *args: Any, client: str, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self.client = client
        self.fields["old_password"].label = _("Present password")
        self.fields["new_password2"].label = _("New password, once more")

    def clean_old_password(self) -> str:
        name, password = self.user.address, self.cleaned_data["old_password"]
        if guesses.barred(self.client, name):
            raise ValidationError(self.error_messages["barred"], "barred")
        try:
            return super().clean_old_password()
        except ValidationError:
            guesses.wrong(self.client, name, password, unknown=False)
            raise
