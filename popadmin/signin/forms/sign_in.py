"""The forms of users who are not signed in: sign-in, forgotten password, new password."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.forms import AuthenticationForm, SetPasswordForm
from django.contrib.auth.password_validation import MinimumLengthValidator, get_default_password_validators
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from mailstore.directory import account_name, known_networks
from mailstore.models import User
from mailstore.policy.addresses import ADDRESS_OCTETS
from popadmin.signin import moving, sign_in_log
from popadmin.signin.limits import LOCAL, Busy, hash_slots, login_throttle
from popadmin.signin.refused_names import refused_names
from popadmin.web import people

REPEAT_LABEL = _("Repeat the new password")


class UnrevealedField(forms.CharField):
    """A text field with no validators: its errors would reveal what accounts look like."""

    def run_validators(self, value: str) -> None:
        """Skip the checks of length and NUL. The sign-in gives its usual answer instead."""


def _address_field() -> UnrevealedField:
    attributes = {
        "autofocus": True,
        "autocomplete": "username",
        "autocapitalize": "none",
        "spellcheck": "false",
        "maxlength": ADDRESS_OCTETS,
    }
    return UnrevealedField(label=_("Address"), widget=forms.TextInput(attrs=attributes))


class SignInForm(AuthenticationForm):
    """A name and a password; `get_user` returns the user afterwards."""

    username = _address_field()
    password = UnrevealedField(
        label=_("Password"), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )
    error_messages = {
        "invalid_login": _("The address or the password is wrong. Check both, then try again."),
        "web_off": _(
            "The password is right, but these pages are switched off for your mailbox. Ask your administrator."
        ),
        "barred": _("Too many wrong passwords. Wait a while, then try again."),
        "busy": _("Too many people are signing in right now. Try again in a moment."),
    }

    def clean(self) -> dict[str, Any]:
        name, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if name and password:
            self._sign_in(people.own_address(self.request, name), password)
        return self.cleaned_data

    def confirm_login_allowed(self, user: User) -> None:
        if people.web_switched_off(user):
            sign_in_log.refusal(self._client(), user.address, sign_in_log.WEB_OFF)
            raise ValidationError(self.error_messages["web_off"], "web_off")

    def _sign_in(self, name: str, password: str) -> None:
        client = self._client()
        if bar := login_throttle.bar(client, name):
            refused_names.barred(client, name, bar)
            sign_in_log.refusal(client, name, sign_in_log.TOO_MANY)
            raise ValidationError(self.error_messages["barred"], "barred")
        try:
            self.user_cache = self._user(name, password)
            if self.user_cache is None and moving.takes_over(name, password):
                self.user_cache = self._user(name, password)
        except Busy:
            sign_in_log.refusal(client, name, sign_in_log.BUSY)
            raise ValidationError(self.error_messages["busy"], "busy") from None
        if self.user_cache is None:
            cause = _cause(name)
            unknown = cause == sign_in_log.UNKNOWN
            guessed = not account_name.is_local_part(name) and unknown  # looked up for every name, at one cost
            repeated = login_throttle.failed(client, name, password, unknown=guessed)
            if unknown:
                refused_names.unknown(client, name)
            sign_in_log.refusal(client, name, cause, repeated=repeated)
            if moving.hides(name):
                raise ValidationError(self.error_messages["busy"], "busy")
            raise self.get_invalid_login_error()
        login_throttle.succeeded(client, name)
        known_networks.note(self.user_cache, client or LOCAL)
        moving.go_on(self.user_cache, password)
        self.confirm_login_allowed(self.user_cache)

    def _user(self, name: str, password: str) -> Any:
        with hash_slots.hold(self._client(), known=known_networks.known(name, self._client() or LOCAL)):
            return authenticate(self.request, username=name, password=password)

    def _client(self) -> str:
        return self.request.META["REMOTE_ADDR"] if self.request else ""


class ForgottenPasswordForm(forms.Form):
    """Ask for the address only. The answer reveals nothing about it."""

    address = _address_field()


class ResetPasswordForm(SetPasswordForm[User]):
    """The new password, twice; users who come through the link have forgotten the old one."""

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        name_new_password(self)


def name_new_password(form: forms.Form) -> None:
    """Give the fields of a new password our label and one line of help. The errors name the rarer rules."""
    rule = next(rule for rule in get_default_password_validators() if isinstance(rule, MinimumLengthValidator))
    form.fields["new_password1"].help_text = _(
        "At least %(characters)s characters. No common password, not only digits, not like your name or address."
    ) % {"characters": rule.min_length}
    form.fields["new_password2"].label = REPEAT_LABEL
    form.fields["new_password2"].help_text = ""


def _cause(name: str) -> str:
    """Return the cause of a refusal for the log. The page shows the same text for all causes."""
    user = people.users_with_rights().filter(address=name).first()
    if user is None:
        return sign_in_log.UNKNOWN
    return sign_in_log.SUSPENDED if people.suspended(user) else sign_in_log.WRONG
