"""Django's entry to the pages."""

import django_stubs_ext
from django.apps import AppConfig
from django.core.signals import request_finished
from django.utils.translation import gettext_lazy as _


class PopadminConfig(AppConfig):
    name = "popadmin"
    verbose_name = _("Panel")

    def ready(self) -> None:
        """Let `SetPasswordForm[User]` mean SetPasswordForm at run time, the frame show the counts of the panel,
        and each request write the refused names that are due.

        They load models, which exist only now.
        """
        from django.contrib.auth.forms import SetPasswordForm  # noqa: PLC0415  # it loads models

        from popadmin.panel import menu_counts as panel_counts  # noqa: PLC0415  # the same
        from popadmin.signin.refused_names import refused_names  # noqa: PLC0415  # the same
        from popadmin.web import menu_counts  # noqa: PLC0415  # the same

        django_stubs_ext.monkeypatch(extra_classes=[SetPasswordForm])
        menu_counts.register(panel_counts.counts)
        request_finished.connect(refused_names.write_due)
