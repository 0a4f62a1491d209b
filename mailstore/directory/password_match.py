"""Check the password of a user for the pages, and store a hash of our own where the stored one is another's."""

from __future__ import annotations

from django.contrib.auth.hashers import check_password, make_password

from mailstore.models import User


def matches(user: User, password: str) -> bool:
    """Return whether this is the user's password, by one slow hash.

    A right password whose hash was made elsewhere, or more cheaply, is hashed anew. If the password was changed
    meanwhile, the new one wins. So a second sign-in that did the same at the same time is compared with its hash.
    """
    stored, lost_race = user.password, False

    def replace(right: str) -> None:
        nonlocal lost_race
        encoded = make_password(right)
        lost_race = not User.objects.filter(pk=user.pk, password=stored).update(password=encoded)
        user.password = encoded

    right = check_password(password, stored, replace)
    if lost_race:
        user.password = User.objects.filter(pk=user.pk).values_list("password", flat=True).first() or ""
        return check_password(password, user.password)
    return right
