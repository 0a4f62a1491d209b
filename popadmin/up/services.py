"""The services that `up` starts, and where each listens, by the settings. This module starts nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings

from mailstore import conf, wiring
from mailstore.directory import mta_role
from popadmin.up import web_sockets
from popadmin.up.child_processes import Service
from popadmin.up.endpoints import endpoints

LISTENERS, WEB = 1, 2  # stages of the stop: first no new mail, at last the pages
WEB_WORKERS, WEB_THREADS = 2, 8  # for a small site; a large one runs its own gunicorn
WEB_WORKER = "popadmin.http_server.worker.Worker"  # its threads never wait for a peer
LISTENING = (("lmtpd", "LMTP_LISTEN"), ("authd", "SASL_LISTEN"), ("policyd", "POLICY_LISTEN"))
SWEEP_SECONDS = 3600
SPARE_CONNECTIONS = 30  # the sweep, `up` itself, commands, a dump, and 3 of Postgres itself


def services() -> tuple[Service, ...]:
    """Return every service that has something to do under these settings."""
    pop3 = tuple(endpoint for variable in conf.POP3_VARIABLES for endpoint in endpoints(variable))
    web = endpoints("WEB_LISTEN")
    found = [Service("sweep", _manage("sweep", "--every", str(SWEEP_SECONDS)), LISTENERS)]
    if pop3:
        found.append(Service("pop3d", _manage("pop3d"), LISTENERS, pop3))
    for command, variable in LISTENING:
        if listens := endpoints(variable):
            found.append(Service(command, _manage(command), LISTENERS, listens))
    if settings.MTA_LOG:
        found.append(Service("read-mta-log", _manage("read-mta-log", "--follow"), LISTENERS))
    if web:
        found.append(Service("web", gunicorn([each.text for each in web]), WEB, web))
    return tuple(found)


def database_connections() -> int:
    """Return how many database connections all services may hold at once (docs/install.md has the sum)."""
    web = WEB_WORKERS * (WEB_THREADS + 1)  # one more, for /readyz
    mta = mta_role.CONNECTIONS_AT_MOST if settings.MTA_SQL_LISTEN else 0
    return wiring.database_connections(conf.load()) + web + mta + SPARE_CONNECTIONS


def _manage(*arguments: str) -> tuple[str, ...]:
    """Return this program with another command."""
    return (sys.executable, str(Path(sys.argv[0]).resolve()), *arguments)


def gunicorn(addresses: Sequence[str]) -> tuple[str, ...]:
    """Return the command that serves the pages at these addresses."""
    return (
        *_binder(addresses),
        sys.executable,
        "-m",
        "gunicorn",
        "--no-control-socket",  # it would be a file under $HOME
        f"--worker-class={WEB_WORKER}",
        f"--workers={WEB_WORKERS}",
        f"--threads={WEB_THREADS}",
        "--log-level=warning",
        f"--pythonpath={settings.BASE_DIR}",
        "popadmin.wsgi",
    )


def _binder(addresses: Sequence[str]) -> tuple[str, ...]:
    """Return the command to put before that of the web server: it listens at these addresses (web_sockets.py)."""
    path = os.pathsep.join(filter(None, sys.path))  # with the paths of this process: a checkout is not installed
    return ("/usr/bin/env", f"PYTHONPATH={path}", sys.executable, "-m", web_sockets.__name__, ",".join(addresses))
