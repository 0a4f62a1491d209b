"""Each listener tells the database that it is at work: by this the overview knows which parts are down."""

from __future__ import annotations

import pytest

from mailstore.models import Heartbeat
from popadmin.panel import parts
from tests.running import daemon
from tests.up.programs import until


@pytest.mark.parametrize(("name", "part", "place"), [("pop3d", "pop3", 0), ("lmtpd", "lmtp", 1)])
@pytest.mark.django_db(transaction=True)
def test_a_listener_is_at_work_for_the_overview_from_its_start(
    name: str, part: str, place: int, tls_settings: dict[str, str]
) -> None:
    assert not parts.parts()[place].good
    with daemon(name, **tls_settings):
        until(Heartbeat.objects.filter(part=part).exists, f"{name} writes its heartbeat")
    assert parts.parts()[place].good
