"""The values of this site for the configuration of an MTA: read from the settings and the rows."""

from __future__ import annotations

from pathlib import Path

from django.utils.translation import gettext as _
from psycopg.conninfo import conninfo_to_dict

from mailstore.conf import Conf
from mailstore.directory import mta_expansion
from mailstore.directory.outcome import Rejected
from mailstore.file_owner import owner_of
from mailstore.models import Alias, Domain
from mailstore.mta import socket_address
from mailstore.mta.mail_server import MailServer, MapDatabase

ROLE = "popadmin_mta"


def read(conf: Conf, queue: Path, password: str | None) -> MailServer:
    """Return the parts of this site. `queue` is the MTA's folder, below which a unix socket is preferred to a port.

    `password` is that of the role by which the MTA reads the views. Rejected where LMTP listens nowhere.
    """
    lmtp = socket_address.best(conf.lmtp.listen, queue)
    if lmtp is None:
        raise Rejected(_("LMTP_LISTEN is empty: the MTA has nowhere to deliver to"))
    return MailServer(
        hostname=conf.lmtp.hostname,
        lmtp=lmtp,
        sasl=socket_address.best(conf.sasl.listen, queue),
        policy=socket_address.best(getattr(conf, "policy", conf.sasl).listen if hasattr(conf, "policy") else (), queue),
        database=_database(conf, password),
        pairs=conf.tls.pairs,
        message_octets=conf.lmtp.max_message_octets,
        domains=frozenset(Domain.objects.filter(removed_at=None).values_list("name", flat=True)),
        service_uid=owner_of(str(conf.data_dir)).st_uid,
        data_dir=conf.data_dir,
    )


def leads_elsewhere() -> bool:
    """Return whether an alias or a forward in effect has a target outside."""
    rows = Alias.objects.filter(active=True).select_related("domain")
    return any(found.expand_to is not None for _row, found in mta_expansion.expansions(rows.iterator()))


def _database(conf: Conf, password: str | None) -> MapDatabase:
    parts = conninfo_to_dict(conf.conninfo)
    return MapDatabase(
        host=str(parts.get("host") or "/run/postgresql"),
        port=int(parts.get("port") or 5432),
        name=str(parts["dbname"]),
        user=ROLE,
        password=password,
    )
