"""Tell the database which certificates this listener serves. Files may be newer, or broken; clients see these."""

from __future__ import annotations

import json
import socket

from mailstore.listener.tls import Certificates
from mailstore.sql.connection_pool import ConnectionPool
from mailstore.sql.statements.certificates import SERVED_CERTIFICATES

REPORTED_MOST = 500  # some 150 KB; what a person must mend comes first


class CertificateReport:
    """The reports of one worker. A report that is lost does no harm: the next one follows within half a minute.

    `address` is the first one on which the listener listens. It tells listeners of one machine apart.
    """

    def __init__(self, lanes: ConnectionPool, certificates: Certificates, address: str) -> None:
        self._lanes = lanes
        self._listener = f"{socket.gethostname()} {address}".encode()
        self._certificates = certificates

    def send(self) -> None:
        served = sorted(self._certificates.served(), key=lambda each: (each.fault is None, each.ends_at is not None))
        data = json.dumps([each.to_json() for each in served[:REPORTED_MOST]])
        values = SERVED_CERTIFICATES.values(listener=self._listener, certificates=data.encode())
        self._lanes.write(((SERVED_CERTIFICATES, values),), lambda _answer: None)
