"""What gunicorn does with each new worker of the pages (`--config=python:popadmin.http_server.gunicorn_config`)."""

from __future__ import annotations

import signal


def post_fork(_server: object, _worker: object) -> None:
    """Hold hangups back: gunicorn's master replaces its workers at SIGHUP, but one that gets it itself would end.

    `systemctl kill --signal=HUP` sends it to every process of a service.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
