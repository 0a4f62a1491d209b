"""The values of this site for the configuration of an MTA: read from the settings and the rows."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _
from psycopg.conninfo import conninfo_to_dict

from mailstore.conf import Conf
from mailstore.directory import mta_expansion, mta_role
from mailstore.directory.outcome import Rejected
from mailstore.file_owner import owner_of
from mailstore.models import Alias, Domain
from mailstore.mta import socket_address
from mailstore.mta.mail_server import MailServer, MapDatabase

SOCKETS, POSTGRES_PORT = "/run/postgresql", 5432  # where a URL names no other
LOOPBACK = "127.0.0.1"
EVERYWHERE = frozenset({"*", "0.0.0.0", "::", "localhost"})  # noqa: S104 - compared with what Postgres says


def read(conf: Conf, queue: Path, password: str | None) -> MailServer:
    """Return the parts of this site. `queue` is the MTA's folder, below which a unix socket is preferred to a port.

    `password` is that of the role by which the MTA reads the views. Rejected where LMTP listens nowhere.
    """
    lmtp = socket_address.best(conf.lmtp.listen, queue)
    if lmtp is None:
        raise Rejected(_("LMTP_LISTEN is empty: the MTA has nowhere to deliver to"))
    return MailServer(
        hostname=conf.lmtp.hostname,
        smtp_hostname=settings.PUBLIC_SMTP_HOSTNAME,
        lmtp=lmtp,
        sasl=socket_address.best(conf.sasl.listen, queue),
        policy=socket_address.best(conf.policy.listen, queue),
        database=_database(conf, password),
        pairs=conf.tls.pairs,
        message_octets=conf.lmtp.max_message_octets,
        domains=frozenset(Domain.objects.filter(removed_at=None).values_list("name", flat=True)),
        service_uid=owner_of(str(conf.data_dir)).st_uid,
    )


def alias_elsewhere() -> str | None:
    """Return the address of an alias or a forward in effect with a target outside; None if there is none."""
    rows = Alias.objects.filter(active=True).select_related("domain")
    found = mta_expansion.expansions(rows.iterator())
    return next((row.address for row, expansion in found if expansion.expand_to is not None), None)


def _database(conf: Conf, password: str | None) -> MapDatabase:
    """Return how the MTA reaches the database: by TCP where that is on this machine and listens there.

    A unix socket of Postgres is either closed to the MTA, or signs in the MTA's user of the system, which is no role.
    Rejected where the private Postgres of `up` does not listen for an MTA.
    """
    parts = conninfo_to_dict(conf.conninfo)
    host, port = str(parts.get("host") or SOCKETS), int(parts.get("port") or POSTGRES_PORT)
    if host.startswith("/"):
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('listen_addresses'), current_setting('port')::int")
            listens, port = cursor.fetchone()
        if not listens and settings.DATABASE_IS_PRIVATE:
            raise Rejected(
                _("the MTA cannot reach the database: set MTA_SQL_LISTEN=127.0.0.1:5433, and restart popadmin")
            )
        first = listens.partition(",")[0].strip()
        host = (LOOPBACK if first in EVERYWHERE else first) or host
    return MapDatabase(host=host, port=port, name=str(parts["dbname"]), user=mta_role.ROLE, password=password)
