"""Check a name and a password for Django; unknown, wrong and suspended get the same reply at the same cost."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from mailstore.models import User
from popadmin.web import people


class Addresses(BaseBackend):
    """The one user table. Users who are suspended, or may not use the web, are signed out at the next request."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **_others: Any
    ) -> User | None:
        if username is None or password is None:
            return None
        user = people.people().filter(address=people.signs_in_as(username)).first()
        if user is None:
            make_password(password)  # what check_password costs
            return None
        return user if user.check_password(password) and not people.suspended(user) else None

    def get_user(self, user_id: int) -> User | None:
        user = people.people().filter(pk=user_id).first()
        return None if user is None or people.suspended(user) or people.web_switched_off(user) else user
