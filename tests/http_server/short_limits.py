"""Workers of the web port with short deadlines and small limits, for tests."""

from __future__ import annotations

from popadmin.http_server import worker
from popadmin.http_server.limits import MIB, Limits

HEAD_SECONDS = 1.0
LIMITS = Limits(
    head_seconds=HEAD_SECONDS,
    body_seconds=1.0,
    stall_seconds=1.0,
    queue_seconds=1.0,
    ready_seconds=1.0,
    upload_octets=4 * MIB,
    anonymous_room_octets=2 * MIB,
    downloads=3,
    downloads_of_a_session=3,
)


class Worker(worker.Worker):
    limits = LIMITS


class Tight(worker.Worker):
    """With little memory, and no file for anybody: the disk has less than must be spare."""

    limits = Limits(answers_room_octets=3 * MIB, spare_disk_octets=2**60)


class Crowded(worker.Worker):
    """This machine has a bound too, so that a test can reach it."""

    limits = Limits(connections_of_an_address=3)
    trusted_networks = ()


class Patient(worker.Worker):
    """With the waits of a site."""
