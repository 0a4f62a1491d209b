"""`authd`: answer the MTA who may send mail."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from mailstore import conf, wiring
from mailstore.management.shell import ShellCommand


class Command(ShellCommand):
    help = "Answer Postfix and Exim who may send mail, until SIGTERM or Ctrl-C."
    example = "SASL_LISTEN=unix:/var/spool/postfix/popadmin/auth popadmin authd"

    def handle(self, *_args: Any, **_options: Any) -> None:
        found = conf.load()
        if not found.sasl.listen:
            raise ImproperlyConfigured(
                "SASL_LISTEN is empty, so there is nothing to listen on: set it to HOST:PORT or unix:/path"
            )
        wiring.serve_sasl(found)
