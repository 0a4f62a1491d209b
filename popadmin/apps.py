"""Django's entry to the pages."""

import django_stubs_ext
from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PopadminConfig(AppConfig):
    name = "popadmin"
    verbose_name = _("Panel")

    def ready(self) -> None:
        """Let `SetPasswordForm[User]` mean SetPasswordForm at run time; the settings load before that class can."""
        from django.contrib.auth.forms import SetPasswordForm  # noqa: PLC0415  # it loads models

        django_stubs_ext.monkeypatch(extra_classes=[SetPasswordForm])
