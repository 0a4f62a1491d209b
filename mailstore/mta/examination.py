"""A run of all checks of the mail flow: on what, with which mailbox, and where the result stays."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils import timezone

from mailstore.conf import Conf
from mailstore.mta import last_check, site_server, socket_address
from mailstore.mta.checks import table
from mailstore.mta.checks.result import Result
from mailstore.mta.checks.subject import MtaView, Probe, Subject
from mailstore.mta.mail_server import MailServer
from mailstore.mta.socket_address import UNIX, SocketAddress


def run(conf: Conf, server: MailServer, mta: MtaView, probe: Probe | None) -> Iterator[Result]:
    """Make all checks and yield each result at once. At the end they are stored, for the page and the overview."""
    subject = Subject(
        server=server,
        mta=mta,
        probe=probe,
        lmtp_listens=tuple(map(socket_address.parse, conf.lmtp.listen)),
        pop3=_pop3(conf),
        alias_elsewhere=site_server.alias_elsewhere(),
        now=timezone.now(),
    )
    results = []
    for result in table.run(subject):
        results.append(result)
        yield result
    last_check.note_check(results)


def _pop3(conf: Conf) -> tuple[SocketAddress, bool] | None:
    """Return where POP3 is reached from this machine, and whether TLS begins at once there."""
    for addresses, in_tls in ((conf.pop3.listen_tls, True), (conf.pop3.listen, False)):
        for address in addresses:
            if not address.startswith(UNIX):
                return socket_address.parse(address).reached(), in_tls
    return None
