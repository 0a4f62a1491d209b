"""Users: the one table for the web and for POP3; the address is the name, in any case."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Lower, Upper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from mailstore.policy.addresses import BadAddress, normal_login

# Of an address: letters that may look like others (directory/look_alikes.py). The same words find its index.
NOT_ASCII = models.Q(address__regex="[^ -~]")


class UserManager(BaseUserManager["User"]):
    """Looks a user up under the normal form of what was typed."""

    def get_by_natural_key(self, username: str | None) -> User:
        try:
            return self.get(address=normal_login((username or "").strip()))
        except BadAddress as error:
            raise self.model.DoesNotExist(str(error)) from error


class User(AbstractBaseUser):
    """Somebody who signs in: an owner by the address of the mailbox, a hosting admin by any login."""

    class Role(models.TextChoices):
        OWNER = "owner", _("mailbox owner")
        ADMIN = "admin", _("hosting admin")

    address = models.TextField(_("address"), unique=True)
    name = models.CharField(_("name"), max_length=150, blank=True)
    role = models.CharField(_("role"), max_length=5, choices=Role.choices, default=Role.OWNER)
    is_active = models.BooleanField(_("active"), default=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    # The hash before the last change: it signs nobody in, but says whose refused sign-ins are a forgotten device.
    previous_password = models.CharField(max_length=128, blank=True, default="", editable=False)
    # Confirmed by a mailed code; where the mail of a forgotten password goes.
    recovery_address = models.TextField(_("recovery address"), blank=True, default="")
    must_change_password = models.BooleanField(_("must choose a new password"), default=False)
    # Also which password it is: open POP sessions of the one before end by it (`sql/statements/view.py`).
    password_changed_at = models.DateTimeField(_("password changed"), null=True, blank=True)
    digested_at = models.DateTimeField(null=True, editable=False)  # the last digest of full mailboxes, to an admin
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    USERNAME_FIELD = "address"
    EMAIL_FIELD = "recovery_address"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects = UserManager()

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [
            models.CheckConstraint(condition=models.Q(address=Lower("address")), name="user_address_lower_case"),
        ]
        indexes = [
            # The list of administrators, and who of them is the last.
            models.Index(fields=["address"], condition=models.Q(role="admin"), name="user_hosting_admins"),
            # The list of suspended mailboxes, and the overview's count of them, which reads no row of theirs.
            models.Index(
                fields=["address"], include=["id"], condition=models.Q(is_active=False), name="user_suspended"
            ),
            # What new addresses in a domain could be taken for.
            models.Index(fields=["address"], condition=NOT_ASCII, name="user_not_ascii"),
            # The search of the lists, by any three characters of an address or a name, in any case.
            GinIndex(OpClass("address", "gin_trgm_ops"), OpClass(Upper("name"), "gin_trgm_ops"), name="user_search"),
        ]

    def __str__(self) -> str:
        return self.address

    def set_password(self, raw_password: str | None) -> None:
        """Django's own ways come by here (`manage.py changepassword`); others by `directory/new_password.py`.

        A new hash of the same password, which Django makes at a sign-in, saves `password` alone: nothing was changed.
        """
        super().set_password(raw_password)
        self.password_changed_at = timezone.now()
