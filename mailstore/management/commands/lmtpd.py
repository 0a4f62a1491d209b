"""`manage.py lmtpd`: the LMTP listener."""

from typing import Any

from django.core.management.base import BaseCommand

from mailstore import conf, wiring


class Command(BaseCommand):
    help = (
        "Run the LMTP listener until SIGTERM or Ctrl-C. "
        "Example: LMTP_LISTEN=unix:/var/spool/postfix/private/popadmin-lmtp manage.py lmtpd"
    )
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        wiring.serve_lmtp(conf.load())
