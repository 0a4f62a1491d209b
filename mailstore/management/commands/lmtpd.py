"""`lmtpd`: run the LMTP listener."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from mailstore import conf, wiring
from mailstore.management.shell import ShellCommand


class Command(ShellCommand):
    help = "Run the LMTP listener until SIGTERM or Ctrl-C."
    example = "LMTP_LISTEN=unix:/var/spool/postfix/popadmin/lmtp popadmin lmtpd"

    def handle(self, *_args: Any, **_options: Any) -> None:
        found = conf.load()
        if not found.lmtp.listen:
            raise ImproperlyConfigured(
                "LMTP_LISTEN is empty, so there is nothing to listen on: set it to HOST:PORT or unix:/path"
            )
        wiring.serve_lmtp(found)
