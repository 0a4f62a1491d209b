"""Sessions of the pages: Django's, with the user in a column, so that a person's sessions can be listed and ended."""

from __future__ import annotations

from importlib import import_module

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils.translation import gettext_lazy as _

from mailstore.models.users import User


class WebSession(AbstractBaseSession):
    """One browser that is signed in. Where and when it was seen stands in the session itself."""

    user = models.ForeignKey(User, models.CASCADE, null=True, verbose_name=_("user"))

    class Meta(AbstractBaseSession.Meta):
        verbose_name = _("web session")  # type: ignore[assignment]  # a str in Django's own stubs
        verbose_name_plural = _("web sessions")  # type: ignore[assignment]  # the same

    @classmethod
    def get_session_store_class(cls) -> type[SessionBase]:
        store: type[SessionBase] = import_module(settings.SESSION_ENGINE).SessionStore
        return store
