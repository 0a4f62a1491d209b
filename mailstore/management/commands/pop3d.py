"""`pop3d`: run the POP3 listener."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from mailstore import conf, wiring
from mailstore.management.shell import ShellCommand


class Command(ShellCommand):
    help = "Run the POP3 listener until SIGTERM or Ctrl-C; SIGHUP reloads the certificate."
    example = "POP3_LISTEN=0.0.0.0:110 POP3S_LISTEN=0.0.0.0:995 popadmin pop3d"

    def handle(self, *_args: Any, **_options: Any) -> None:
        found = conf.load()
        if not found.pop3.listens:
            raise ImproperlyConfigured(
                f"POP3_LISTEN and POP3S_LISTEN are empty, and so are {', '.join(conf.POP3_VARIABLES[2:])}: "
                "there is nothing to listen on, set one to HOST:PORT"
            )
        wiring.serve_pop3(found)
