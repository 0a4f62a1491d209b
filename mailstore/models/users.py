"""Users, with what belongs to them: grants, mailed codes, known networks and sessions of the pages."""

from __future__ import annotations

from importlib import import_module
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from mailstore.models.columns import NOT_ASCII, plain
from mailstore.policy.addresses import BadAddress, normal_login
from mailstore.policy.foreign_hash import STORED_CHARACTERS


class UserManager(BaseUserManager["User"]):
    """Finds a user by the normal form of what was typed."""

    def get_by_natural_key(self, username: str | None) -> User:
        try:
            return self.get(address=normal_login((username or "").strip()))
        except BadAddress as error:
            raise self.model.DoesNotExist(str(error)) from error


class User(AbstractBaseUser):
    """Somebody who signs in, on the web or by POP3: an owner by their address, a hosting admin by any login."""

    class Role(models.TextChoices):
        OWNER = "owner", _("mailbox owner")
        ADMIN = "admin", _("hosting admin")

    address = models.TextField(_("address"), unique=True)
    name = models.CharField(_("name"), max_length=150, blank=True)
    role = models.CharField(_("role"), max_length=5, choices=Role.choices, default=Role.OWNER)
    is_active = models.BooleanField(_("active"), default=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    password = models.CharField(_("password"), max_length=STORED_CHARACTERS)
    # The hash before the last change. It signs nobody in. It shows that a refused sign-in came from a device that still
    # has the old password.
    previous_password = models.CharField(max_length=STORED_CHARACTERS, blank=True, default="", editable=False)
    # Confirmed by a mailed code. The link for a forgotten password goes there.
    recovery_address = models.TextField(_("recovery address"), blank=True, default="")
    # Where the invitation of a new owner goes. Nobody has proven it: it becomes the recovery address when the link that
    # was mailed there is used, and ends with any other password that the owner chooses.
    invitation_address = models.TextField(_("address for the invitation"), blank=True, default="", db_default="")
    must_change_password = models.BooleanField(_("must choose a new password"), default=False)
    # It also identifies the password: POP sessions that opened with an earlier one end (`sql/statements/view.py`).
    password_changed_at = models.DateTimeField(_("password changed"), null=True, blank=True)
    digest_sent_at = models.DateTimeField(null=True, editable=False)  # the last digest of full mailboxes, to an admin
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
            # The list of administrators, and whether one of them is the last.
            models.Index(fields=["address"], condition=models.Q(role="admin"), name="user_hosting_admins"),
            # The list of suspended mailboxes, and the overview's count of them, which reads this index and no row.
            models.Index(
                fields=["address"], include=["id"], condition=models.Q(is_active=False), name="user_suspended"
            ),
            # Addresses that a new address in the domain could be mistaken for.
            models.Index(fields=["address"], condition=NOT_ASCII, name="user_not_ascii"),
            # A sign-in with a bare name: whether a mailbox has it as its local part (`sql/opened_account.py`).
            models.Index(
                models.Func(models.F("address"), models.Value("@"), models.Value(1), function="split_part"),
                name="user_local_part",
            ),
            # The search of the lists, by any three characters of an address or a name, without case and accents.
            GinIndex(OpClass(plain("address", "name"), "gin_trgm_ops"), name="user_search"),
        ]

    def __str__(self) -> str:
        return self.address

    def set_password(self, raw_password: str | None) -> None:
        """Set the password for Django's own commands (`changepassword`). Our code calls `directory/new_password.py`.

        Django also calls it at a sign-in, for a new hash of the same password, and then saves `password` alone.
        """
        super().set_password(raw_password)
        self.password_changed_at = timezone.now()


class DomainGrant(models.Model):
    """Makes a user a domain admin of one domain. The user may own a mailbox, there or elsewhere, or none.

    A hosting admin needs no grant, and administers every domain.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="grants", verbose_name=_("user"))
    domain = models.ForeignKey("mailstore.Domain", models.CASCADE, related_name="grants", verbose_name=_("domain"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        constraints = [
            models.UniqueConstraint(fields=["user", "domain"], name="domain_grant_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user.address} {self.domain.name}"


class MailedCode(models.Model):
    """The code that was mailed last to a user, to prove that `address` is theirs. The next one replaces it."""

    user = models.OneToOneField(User, models.CASCADE, verbose_name=_("user"))
    address = models.TextField(_("address"))
    digest = models.BinaryField(_("digest of the code"))
    ends_at = models.DateTimeField(_("ends"))
    tries_left = models.PositiveSmallIntegerField(_("tries left"))

    class Meta:
        verbose_name = _("mailed code")
        verbose_name_plural = _("mailed codes")

    def __str__(self) -> str:
        return self.address


class KnownNetwork(models.Model):
    """A network (/24, /48 or "unix") from which a user signed in within a month. `seen_at` is late by a day at most.

    Guesses of strangers do not delay users who come from a known network. The sweep deletes old rows.
    """

    # No constraint: its check would make a batch of rows wait while a form holds the user's row.
    user = models.ForeignKey(User, models.CASCADE, db_constraint=False, db_index=False)
    network = models.CharField(max_length=64)
    seen_at = models.DateTimeField()

    class Meta:
        verbose_name = _("known network")
        verbose_name_plural = _("known networks")
        # A sign-in looks for its pair here, unless the worker has noted the pair itself.
        constraints = [models.UniqueConstraint(fields=["user", "network"], name="known_network_once_per_user")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.network}"


class WebSession(AbstractBaseSession):
    """One browser that is signed in. The column `user` lets pages list and end the sessions of a user.

    The data of the session says from where and when it was last used.
    """

    user = models.ForeignKey(User, models.CASCADE, null=True, verbose_name=_("user"))

    class Meta(AbstractBaseSession.Meta):
        verbose_name = _("web session")  # type: ignore[assignment]  # a str in Django's own stubs
        verbose_name_plural = _("web sessions")  # type: ignore[assignment]  # the same

    @classmethod
    def get_session_store_class(cls) -> type[SessionBase]:
        store: type[SessionBase] = import_module(settings.SESSION_ENGINE).SessionStore
        return store
