"""Django's entry to the pages."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PopadminConfig(AppConfig):
    name = "popadmin"
    verbose_name = _("Panel")
