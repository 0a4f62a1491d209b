"""What waits for each device of a mailbox, and until when it waits; for the pages of its owner and its admins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import JSONField, QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone

from mailstore.models import Device
from mailstore.retention.silence_step import heard_devices
from mailstore.sql.statements.view import counts
from mailstore.sql.tables import REAL

# Only the gaps in what a device has are read from the index of live messages, so this costs little where little waits.
_WAITING = f"""
SELECT jsonb_build_array(waiting.messages, {counts(device="d", mailbox="box")},
       heard.at <= %s - make_interval(days => silence.days - notice.days),
       CASE WHEN NOT box.held THEN greatest(heard.at + make_interval(days => silence.days),
            coalesce(d.silence_notified_at, %s) + make_interval(days => notice.days)) END)
{heard_devices(REAL)}
 CROSS JOIN LATERAL (
       SELECT count(m.added) AS messages
         FROM unnest(int8multirange(int8range(0, box.change + 1)) - d.confirmed - d.hidden) AS run
         JOIN mailstore_message m ON m.mailbox_id = box.id AND m.removed IS NULL
          AND m.added >= lower(run) AND m.added < upper(run)) AS waiting
 WHERE d.id = mailstore_device.id
"""
_COLUMN = "waiting_mail"  # the annotation: the four values of a Waiting


@dataclass(frozen=True, slots=True)
class Waiting:
    """The live messages that a device does not have and did not leave out.

    Mail waits for the device only if it `counts`. `quiet` says that its owner gets or got the notice of its silence:
    `until` is when mail stops waiting if it does not sign in; None while the mailbox is on hold.
    """

    messages: int
    counts: bool
    quiet: bool
    until: datetime | None


def with_waiting(devices: QuerySet[Device]) -> QuerySet[Device]:
    """Read the devices together with what waits for each. `of` returns it."""
    now = timezone.now()
    return devices.annotate(**{_COLUMN: RawSQL(_WAITING, [now, now], output_field=JSONField())})  # noqa: S611 - a constant


def of(device: Device) -> Waiting:
    """Return what waits for a device that was read `with_waiting`."""
    messages, is_counted, quiet, until = getattr(device, _COLUMN)
    return Waiting(messages, is_counted, quiet, until and datetime.fromisoformat(until))
