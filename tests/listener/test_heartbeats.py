"""Each part tells the database that it is at work: by this the overview and monitors know which are down."""

from __future__ import annotations

import datetime
import signal
import sys
import threading
from subprocess import DEVNULL

import pytest
from django.db import transaction
from django.utils import timezone

from mailstore.integrity import heartbeat
from mailstore.models import Heartbeat, SweepPass
from popadmin.web import site_parts
from tests.listeners import MANAGE, daemon
from tests.management.command_runner import environment, said
from tests.up.programs import running, until


@pytest.mark.parametrize(
    ("name", "part", "place"),
    [("pop3d", "pop3", 0), ("lmtpd", "lmtp", 1), ("authd", "sasl", 2), ("policyd", "policy", 2)],
)
@pytest.mark.django_db(transaction=True)
def test_a_listener_is_at_work_for_the_overview_from_its_start(
    name: str, part: str, place: int, tls_settings: dict[str, str]
) -> None:
    assert not site_parts.read_parts()[place].good
    with daemon(name, **tls_settings):
        until(Heartbeat.objects.filter(part=part).exists, f"{name} writes its heartbeat")
    assert site_parts.read_parts()[place].good


@pytest.mark.django_db(transaction=True)
def test_the_sweep_beats_while_a_pass_is_under_way_and_between_two() -> None:
    first, later = timezone.now(), []
    with heartbeat.beating("sweep", seconds=0.01), transaction.atomic():  # as a step that takes long
        SweepPass.objects.create(started_at=first, ended_at=first)
        for _beat in range(3):
            until(lambda: _seen_at() not in {None, *later}, "it beats again")
            later.append(_seen_at())
    assert sorted(later) == later
    assert not [thread for thread in threading.enumerate() if "heartbeat" in thread.name]


@pytest.mark.django_db(transaction=True)
def test_the_sweep_that_goes_on_is_heard_of_and_a_pass_of_its_own_forgets_one_that_is_gone() -> None:
    with running(
        [sys.executable, str(MANAGE), "sweep", "--every", "3600"], env=environment(), stdout=DEVNULL
    ) as process:
        until(_seen_at, "it beats")
        process.send_signal(signal.SIGHUP)  # there is nothing to reload
        until(SweepPass.objects.exists, "it has made its pass")
        said("sweep")
        assert _seen_at()  # it may come back: two minutes are not over
        assert process.poll() is None
    Heartbeat.objects.update(seen_at=timezone.now() - datetime.timedelta(minutes=3))
    said("sweep")
    assert not _seen_at()


def _seen_at() -> datetime.datetime | None:
    return Heartbeat.objects.filter(part="sweep").values_list("seen_at", flat=True).first()
