"""`manage.py pop3d`: the POP3 listener."""

from typing import Any

from django.core.management.base import BaseCommand

from mailstore import conf, wiring


class Command(BaseCommand):
    help = (
        "Run the POP3 listener until SIGTERM or Ctrl-C; SIGHUP reloads the certificate. "
        "Example: POP3_LISTEN=0.0.0.0:110 POP3S_LISTEN=0.0.0.0:995 manage.py pop3d"
    )
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        wiring.serve_pop3(conf.load())
