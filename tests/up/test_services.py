"""The services of `up` and their database connections follow from the settings."""

from __future__ import annotations

from pytest_django.fixtures import Settings

from mailstore.sql.connection_pool import WRITE_LANES
from mailstore.wiring import POP3_WRITE_LANES
from popadmin.up.services import database_connections, services


def test_the_connections_grow_with_the_workers_so_that_many_cores_do_not_use_them_up(settings: Settings) -> None:
    settings.POP3_WORKERS, settings.LMTP_WORKERS = 1, 1
    few = database_connections()
    settings.POP3_WORKERS, settings.LMTP_WORKERS = 101, 11
    # A worker has one more than it writes on, for reading.
    assert database_connections() == few + 100 * (1 + POP3_WRITE_LANES) + 10 * (1 + WRITE_LANES)
    assert few > (1 + POP3_WRITE_LANES) + (1 + WRITE_LANES)


def test_a_part_that_is_switched_off_is_not_started(settings: Settings) -> None:
    assert {service.name for service in services()} == {"sweep", "pop3d", "lmtpd", "web"}
    settings.SASL_LISTEN = ("unix:/run/popadmin/auth",)
    settings.POLICY_LISTEN = ("127.0.0.1:1026",)
    assert {service.name for service in services()} == {"sweep", "pop3d", "lmtpd", "authd", "policyd", "web"}
    settings.MTA_LOG = "journal"
    assert "read-mta-log" in {service.name for service in services()}
    settings.MTA_LOG = ""
    settings.POP3_LISTEN = settings.LMTP_LISTEN = settings.SASL_LISTEN = settings.POLICY_LISTEN = ()
    assert {service.name for service in services()} == {"sweep", "pop3d", "web"}
    settings.POP3S_LISTEN = settings.WEB_LISTEN = ()
    assert {service.name for service in services()} == {"sweep"}
    for variable in ("POP3_PROXY_LISTEN", "POP3S_PROXY_LISTEN", "POP3S_LEGACY_LISTEN"):
        setattr(settings, variable, ("127.0.0.1:2995",))
        assert {service.name for service in services()} == {"sweep", "pop3d"}
        setattr(settings, variable, ())
