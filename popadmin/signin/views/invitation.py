"""The page of an invitation: the owner of a mailbox chooses the first password."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.utils.decorators import method_decorator

from mailstore.models import User
from popadmin.signin import actions
from popadmin.signin.views.forgotten import ResetPassword, user_with_pages
from popadmin.web import invitation_link


@method_decorator(login_not_required, name="dispatch")
class Invited(ResetPassword):
    """As the page of a forgotten password, by another link, and with words for somebody who has none yet."""

    template_name = "signin/invited.html"
    invalid_template = "signin/invitation_invalid.html"

    def user_of_link(self, **link: str) -> User | None:
        key = invitation_link.key_of(link["token"])
        user = None if key is None else user_with_pages(key)
        return user if user is not None and invitation_link.is_valid(user, link["token"]) else None

    def set_password(self, user: User, password: str) -> None:
        proves = invitation_link.proves_address(user, self.kwargs["token"])
        client = self.request.META["REMOTE_ADDR"]
        actions.accept_invitation(user, password, client=client, proves_address=proves)
