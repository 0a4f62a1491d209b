"""Check a name and a password for Django. Unknown, wrong and suspended get the same reply at the same cost."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from mailstore.directory import password_match
from mailstore.models import User
from popadmin.web import people


class Addresses(BaseBackend):
    """Users by their own address or login; the sign-in page has looked it up for the name that was typed.

    Users who are suspended, or may not use the web, are signed out at the next request. Django stores the path of this
    class in sessions: with another name, everybody is signed out.
    """

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **_others: Any
    ) -> User | None:
        if username is None or password is None:
            return None
        user = people.users_with_rights().filter(address=people.login_name(username)).first()
        if user is None:
            make_password(password)  # what a check costs
            return None
        return user if password_match.matches(user, password) and not people.suspended(user) else None

    def get_user(self, user_id: int) -> User | None:
        user = people.users_with_rights().filter(pk=user_id).first()
        return None if user is None or people.suspended(user) or people.web_switched_off(user) else user
