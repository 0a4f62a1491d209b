"""The Django app of the mail. It registers the checks."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MailstoreConfig(AppConfig):
    name = "mailstore"
    verbose_name = _("Mail")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from mailstore import checks  # noqa: F401, PLC0415 - registers them; models are needed first
