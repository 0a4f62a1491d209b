"""`policyd`: answer the MTA which mail is welcome."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from mailstore import conf, wiring
from mailstore.management.shell import ShellCommand


class Command(ShellCommand):
    help = "Answer Postfix which recipients and messages are welcome, until SIGTERM or Ctrl-C."
    example = "POLICY_LISTEN=unix:/var/spool/postfix/popadmin/policy popadmin policyd"

    def handle(self, *_args: Any, **_options: Any) -> None:
        found = conf.load()
        if not found.policy.listen:
            raise ImproperlyConfigured(
                "POLICY_LISTEN is empty, so there is nothing to listen on: set it to HOST:PORT or unix:/path"
            )
        wiring.serve_policy(found)
