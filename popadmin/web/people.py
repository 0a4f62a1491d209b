"""The user of a request: whether they may sign in, administer domains, or have a mailbox."""

from __future__ import annotations

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404, HttpRequest
from django.http.request import split_domain_port

from mailstore.directory import account_name
from mailstore.models import DomainGrant, User
from mailstore.policy.addresses import BadAddress, normal_login

NO_USER = ""  # no user has this name: looking it up for an invalid name takes the same time as any other


def signed_in(request: HttpRequest) -> User:
    """Return the user of the request. The middleware has already sent all others to the sign-in."""
    if not isinstance(request.user, User):
        raise Http404
    return request.user


def login_name(name: str) -> str:
    """Return the name under which a user is stored, or a name that no user has."""
    try:
        return normal_login(name)
    except BadAddress:
        return NO_USER


def own_address(request: HttpRequest | None, typed: str) -> str:
    """Return the address or login under which the account is stored that this name opens.

    A name of nobody is returned in its normal form. Limits and the log then count the same account under one name. The
    login of an administrator goes before the address that it would be completed to.
    """
    place = split_domain_port(request.get_host())[0] if request else None
    name, completed = login_name(typed), login_name(settings.LOGIN_NAMES.completed(typed, [place]))
    return account_name.own_address([name, completed]) or name


def users_with_rights() -> QuerySet[User]:
    """Return users with their mailbox, and whether they administer a domain."""
    grants = DomainGrant.objects.filter(user=OuterRef("pk"))
    return User.objects.select_related("mailbox__domain").annotate(administers=Exists(grants))


def suspended(user: User) -> bool:
    """Return whether the user or the domain of their mailbox is suspended, or the mailbox is removed."""
    mailbox = getattr(user, "mailbox", None)
    closed = mailbox is not None and (mailbox.removed_at is not None or not mailbox.domain.active)
    return not user.is_active or closed


def web_switched_off(user: User) -> bool:
    mailbox = getattr(user, "mailbox", None)
    return mailbox is not None and not mailbox.web


def is_host(user: User) -> bool:
    return user.role == User.Role.ADMIN


def is_admin(user: User) -> bool:
    """Return whether the user is a hosting or domain admin. `administers` is loaded with the user of a request."""
    if is_host(user):
        return True
    annotated: bool | None = getattr(user, "administers", None)
    return DomainGrant.objects.filter(user=user).exists() if annotated is None else annotated


def has_mailbox(user: User) -> bool:
    return getattr(user, "mailbox", None) is not None
