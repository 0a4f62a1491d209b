"""Who the person behind a request is: may they sign in, do they administer, do they have a mailbox."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404, HttpRequest

from mailstore.models import DomainGrant, User
from mailstore.policy.addresses import BadAddress, normal_login

NOBODY = ""  # no user has it: what cannot be a name is looked up all the same, and costs what any other does


def signed_in(request: HttpRequest) -> User:
    """Whose request it is; nobody's is nobody's to see (LoginRequiredMiddleware has sent him to sign in before)."""
    if not isinstance(request.user, User):
        raise Http404
    return request.user


def signs_in_as(typed: str) -> str:
    """The name under which a user is stored, or nobody's."""
    try:
        return normal_login(typed)
    except BadAddress:
        return NOBODY


def people() -> QuerySet[User]:
    """Users with what a page wants to know of each."""
    grants = DomainGrant.objects.filter(user=OuterRef("pk"))
    return User.objects.select_related("mailbox__domain").annotate(administers=Exists(grants))


def suspended(user: User) -> bool:
    """The user himself, or the domain of his mailbox; a removed mailbox is as good as suspended."""
    mailbox = getattr(user, "mailbox", None)
    closed = mailbox is not None and (mailbox.removed_at is not None or not mailbox.domain.active)
    return not user.is_active or closed


def web_switched_off(user: User) -> bool:
    mailbox = getattr(user, "mailbox", None)
    return mailbox is not None and not mailbox.web


def is_host(user: User) -> bool:
    return user.role == User.Role.ADMIN


def is_admin(user: User) -> bool:
    """Hosting admin or domain admin. `administers` comes with the user of a request, so that no page asks again."""
    if is_host(user):
        return True
    annotated: bool | None = getattr(user, "administers", None)
    return DomainGrant.objects.filter(user=user).exists() if annotated is None else annotated


def has_mailbox(user: User) -> bool:
    return getattr(user, "mailbox", None) is not None
