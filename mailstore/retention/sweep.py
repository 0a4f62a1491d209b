"""The sweep: one pass through a table of steps. A pass goes on where the last one was cut short."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from mailstore.directory.outcome import Rejected
from mailstore.models import SweepPass
from mailstore.ports import BodyStore
from mailstore.retention.body_check_step import BODY_CHECK
from mailstore.retention.body_step import DRAFTS, QUARANTINE, UNCLAIMED
from mailstore.retention.directory_step import EXPIRED_ALIASES, REMOVED
from mailstore.retention.dry_run import run_on_copies
from mailstore.retention.finding_detectors import FINDINGS
from mailstore.retention.message_steps import MESSAGE_STEPS
from mailstore.retention.old_record_step import DIARY, KNOWN_NETWORKS, OLD_JOBS, VISITS
from mailstore.retention.quota_warning_step import WARN
from mailstore.retention.recovery_cap_step import CAPPED
from mailstore.retention.recovery_step import RESTED
from mailstore.retention.silence_notice_step import SILENCE_NOTICE
from mailstore.retention.store_tie import TIED
from mailstore.retention.tally_step import TALLY
from mailstore.sql.sweep_step import Step, SweepContext

_LEASE_KEY = "hashtext('mailstore_sweep')"
KEPT_PASSES = timedelta(days=90)

STEPS: tuple[Step, ...] = (
    DRAFTS,
    TIED,
    QUARANTINE,
    SILENCE_NOTICE,
    *MESSAGE_STEPS,
    REMOVED,
    RESTED,
    CAPPED,
    UNCLAIMED,
    EXPIRED_ALIASES,
    DIARY,
    FINDINGS,
    VISITS,
    KNOWN_NETWORKS,
    OLD_JOBS,
    TALLY,
    WARN,
    BODY_CHECK,
)


@dataclass(frozen=True, slots=True)
class SweepResult:
    """What a pass did or would do. `expired`, `relieved` and `settled` count mail that moved to recovery."""

    expired: int
    expired_octets: int
    relieved: int
    relieved_octets: int
    diary: int  # sessions of the diary that were forgotten
    findings: int  # mail programs that are set up wrongly, now
    silenced: int  # devices that no longer count
    settled: int  # messages that waited only for devices that no longer count
    warned: int  # owners whose quota fills
    messages: int  # rested in recovery long enough, destroyed for good
    capped: int  # messages in recovery above the cap of their mailbox
    mailboxes: int  # removed mailboxes, those of removed domains included
    bodies: int  # destroyed for good
    body_octets: int
    drafts: int
    quarantined: int  # bodies that a repair had set aside
    aliases: int  # expired long ago
    sessions: int
    checked: int  # bodies that were read to see whether they are whole
    damaged: int  # bodies that are known to be damaged, now


def preview(store: BodyStore, *, now: datetime | None = None) -> SweepResult:
    """Count what a pass would do now. Bodies follow their rows a day later, so they are counted apart."""
    context = SweepContext(store, now or timezone.now())
    swayed = sorted({mailbox for step in STEPS for mailbox in step.sways(context)})
    looked = [(step, step.looked(replace(context, but=swayed))) for step in STEPS]
    return SweepResult(**_figures([*looked, *run_on_copies(STEPS, swayed, context)]))


def run(store: BodyStore, *, stop: Callable[[], bool] = lambda: False, now: datetime | None = None) -> SweepResult:
    """Make one pass; ends early, between two batches, once `stop` says so.

    Rejected while another pass runs anywhere on this database; Unavailable when the body store is away.
    """
    began = timezone.now()
    context = SweepContext(store, now or began, stop)
    with lease():
        swept = SweepResult(**_figures((step, step.act(context)) for step in STEPS))
        if not stop():
            SweepPass.objects.filter(started_at__lt=began - KEPT_PASSES).delete()
            SweepPass.objects.create(started_at=began, ended_at=timezone.now(), figures=asdict(swept))
    return swept


def tend(store: BodyStore, *, stop: Callable[[], bool] = lambda: False) -> int:
    """Do what cannot wait for the next pass: warnings, removals asked for at once, and some of the reading of bodies.

    A clock calls it between two passes. Returns how many owners were warned. Rejected as by `run`.
    """
    context = SweepContext(store, timezone.now(), stop)
    with lease():
        (warned,) = WARN.act(context)
        REMOVED.act(context)
        BODY_CHECK.act(context)
    return warned


@contextmanager
def lease() -> Iterator[None]:
    """Hold the lease of the sweep; Rejected while another pass on this database holds it.

    The lease is the connection's, so that the death of a process ends it.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_try_advisory_lock({_LEASE_KEY})")
        (had,) = cursor.fetchone()
    if not had:
        raise Rejected(_("another sweep is running"))
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT pg_advisory_unlock({_LEASE_KEY})")


def _figures(done: Iterable[tuple[Step, tuple[int, ...]]]) -> dict[str, int]:
    """Return the sums of the figures, by name."""
    sums: Counter[str] = Counter()
    for step, figures in done:
        sums.update(dict(zip(step.figures, figures, strict=True)))
    return dict(sums)
