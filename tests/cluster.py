"""The run's own Postgres, as a pytest plugin: one private cluster in a temporary folder, before settings are read.

Loaded by `-p tests.cluster`. Workers of pytest-xdist inherit its address; pytest-django makes a database for each.
"""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from popadmin.config.database import TcpAddress
from popadmin.up.postgres import Cluster

LOOPBACK = "127.0.0.1"
_key = pytest.StashKey[Cluster]()


@pytest.hookimpl(hookwrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    """A wrapper runs before pytest-django's own hook, which reads the settings."""
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        _settings(Path(os.environ["POPADMIN_DATA_DIR"]).parent / worker)
    else:
        folder = Path(tempfile.mkdtemp(prefix="popadmin-tests-"))
        cluster = early_config.stash[_key] = Cluster(
            folder / "cluster", durable=False, mta_address=_free_address(), mta_databases="all"
        )  # fmt: skip
        cluster.start()
        os.environ["DATABASE_URL"] = cluster.url
        _settings(folder / "main")
    yield


def _free_address() -> TcpAddress:
    """Where the tests of an MTA's maps connect."""
    with socket.create_server((LOOPBACK, 0)) as server:
        return TcpAddress(LOOPBACK, server.getsockname()[1])


def _settings(data_dir: Path) -> None:
    os.environ["POPADMIN_DATA_DIR"] = str(data_dir)
    os.environ["POPADMIN_GENERATE"] = "true"
    os.environ["PUBLIC_HOSTNAME"] = "mail.example.test"
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright keeps a loop in the thread of live_server


def pytest_unconfigure(config: pytest.Config) -> None:
    if cluster := config.stash.get(_key, None):
        cluster.stop()
        shutil.rmtree(cluster.root.parent.parent)
