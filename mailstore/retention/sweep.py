"""The sweep: a pass makes each step of a table. It takes up what a pass that was cut short has left."""

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
from mailstore.retention.body_step import DRAFTS, QUARANTINE, UNREFERENCED
from mailstore.retention.directory_step import EXPIRED_ALIASES, REMOVALS
from mailstore.retention.dry_run import run_on_copies
from mailstore.retention.finding_detectors import FINDINGS
from mailstore.retention.message_steps import MESSAGE_STEPS
from mailstore.retention.old_record_step import DIARY, KNOWN_NETWORKS, OLD_JOBS, PROFILE_LINKS, TRACE, WEB_SESSIONS
from mailstore.retention.quota_warning_step import QUOTA_WARNINGS
from mailstore.retention.recovery_cap_step import RECOVERY_CAP
from mailstore.retention.recovery_step import RECOVERY
from mailstore.retention.sending_notice_step import SENDING_NOTICE
from mailstore.retention.silence_notice_step import SILENCE_NOTICE
from mailstore.retention.store_tie import STORE_TIE
from mailstore.retention.tally_step import TALLY
from mailstore.sql.sweep_step import Step, SweepContext

_LEASE_KEY = "hashtext('mailstore_sweep')"
KEPT_PASSES = timedelta(days=90)

STEPS: tuple[Step, ...] = (
    DRAFTS,
    STORE_TIE,
    QUARANTINE,
    SILENCE_NOTICE,
    *MESSAGE_STEPS,
    REMOVALS,
    RECOVERY,
    RECOVERY_CAP,
    UNREFERENCED,
    EXPIRED_ALIASES,
    DIARY,
    TRACE,
    FINDINGS,
    WEB_SESSIONS,
    PROFILE_LINKS,
    KNOWN_NETWORKS,
    OLD_JOBS,
    TALLY,
    QUOTA_WARNINGS,
    SENDING_NOTICE,
    BODY_CHECK,
)


@dataclass(frozen=True, slots=True)
class SweepResult:
    """What a pass did or would do, as counts. `expired`, `relieved` and `settled` moved to recovery."""

    expired: int
    expired_octets: int
    relieved: int
    relieved_octets: int
    diary: int  # sessions of the diary that were deleted
    trace: int  # rows of the trace that were deleted
    findings: int  # mail programs that are set up wrongly, now
    silenced: int  # devices that no longer count
    settled: int  # messages that waited only for devices that no longer count
    warned: int  # owners whose quota fills
    messages: int  # destroyed for good, after their time in recovery
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
    """Count what a pass would do now. Its bodies are those whose messages went in earlier passes."""
    context = SweepContext(store, now or timezone.now())
    coupled = sorted({mailbox for step in STEPS for mailbox in step.coupled(context)})
    counted = [(step, step.counts(replace(context, but=coupled))) for step in STEPS]
    return SweepResult(**_sums([*counted, *run_on_copies(STEPS, coupled, context)]))


def run(store: BodyStore, *, stop: Callable[[], bool] = lambda: False, now: datetime | None = None) -> SweepResult:
    """Make one pass. It ends early, between two batches, once `stop` returns True.

    Rejected while another pass runs on this database; Unavailable if the body store is away.
    """
    began = timezone.now()
    context = SweepContext(store, now or began, stop)
    with lease():
        swept = SweepResult(**_sums((step, step.act(context)) for step in STEPS))
        if not stop():
            SweepPass.objects.filter(started_at__lt=began - KEPT_PASSES).delete()
            SweepPass.objects.create(started_at=began, ended_at=timezone.now(), figures=asdict(swept))
    return swept


def tend(store: BodyStore, *, stop: Callable[[], bool] = lambda: False) -> int:
    """Do what cannot wait for the next pass: warn owners, purge what was asked for at once, and check some bodies.

    A timer calls it between two passes. Returns how many owners were warned. Rejected as by `run`.
    """
    context = SweepContext(store, timezone.now(), stop)
    with lease():
        (warned,) = QUOTA_WARNINGS.act(context)
        REMOVALS.act(context)
        BODY_CHECK.act(context)
    return warned


@contextmanager
def lease() -> Iterator[None]:
    """Return a context that holds the lease of the sweep. Rejected while another pass on this database holds it.

    The lease belongs to the connection, so it ends with the process.
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


def _sums(done: Iterable[tuple[Step, tuple[int, ...]]]) -> dict[str, int]:
    """Return the sum of each count, by its name."""
    sums: Counter[str] = Counter()
    for step, counts in done:
        sums.update(dict(zip(step.count_names, counts, strict=True)))
    return dict(sums)
