"""The sweep: one pass through a table of steps, each a file in `sweeping`; the next goes on where one was cut short."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from django.utils import timezone

from mailstore.models import SweepPass
from mailstore.ports import BodyStore
from mailstore.retention.alias_step import EXPIRED_ALIASES
from mailstore.retention.body_check_step import BODY_CHECK
from mailstore.retention.body_step import UNCLAIMED
from mailstore.retention.coverage_step import POSSESSION
from mailstore.retention.diary_step import DIARY
from mailstore.retention.draft_step import DRAFTS
from mailstore.retention.dry_run import rehearsed
from mailstore.retention.expiry_step import EXPIRE
from mailstore.retention.finding_step import FINDINGS
from mailstore.retention.job_step import OLD_JOBS
from mailstore.retention.known_network_step import KNOWN_NETWORKS
from mailstore.retention.quarantine_step import QUARANTINE
from mailstore.retention.quota_warning_step import WARN
from mailstore.retention.recovery_cap_step import CAPPED
from mailstore.retention.recovery_step import RESTED
from mailstore.retention.relief_step import RELIEF
from mailstore.retention.removal_step import REMOVED
from mailstore.retention.silence_step import SILENCE
from mailstore.retention.store_tie_step import TIED
from mailstore.retention.sweep_lease import lease
from mailstore.retention.tally_step import TALLY
from mailstore.retention.web_session_step import VISITS
from mailstore.sql.settlement_step import SETTLE
from mailstore.sql.sweep_step import Step, SweepContext

KEPT_PASSES = timedelta(days=90)

STEPS: tuple[Step, ...] = (
    DRAFTS,
    TIED,
    QUARANTINE,
    SILENCE,
    SETTLE,
    POSSESSION,
    EXPIRE,
    RELIEF,
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
    """What a pass did or would do: `expired`, `relieved`, `settled` to recovery; `messages`, `bodies` for good."""

    expired: int
    expired_octets: int
    relieved: int
    relieved_octets: int
    diary: int  # rows of sessions, forgotten
    findings: int  # mail programs that are set up wrongly, now
    silenced: int  # devices that count no more
    settled: int  # messages that waited only for devices that count no more
    warned: int  # owners whose quota fills
    messages: int
    capped: int  # of what rests above the cap of its mailbox
    mailboxes: int  # removed ones, those of domains included
    bodies: int
    body_octets: int
    drafts: int
    quarantined: int  # bodies that a repair had set aside
    aliases: int  # expired long ago
    sessions: int
    checked: int  # bodies that were read to see whether they are whole
    damaged: int  # bodies that are known not to be, now


def preview(store: BodyStore, *, now: datetime | None = None) -> SweepResult:
    """Count what a pass would do now. Bodies follow their rows a day later, so they are counted apart."""
    round = SweepContext(store, now or timezone.now())
    swayed = sorted({mailbox for step in STEPS for mailbox in step.sways(round)})
    looked = [(step, step.looked(replace(round, but=swayed))) for step in STEPS]
    return SweepResult(**_figures([*looked, *rehearsed(STEPS, swayed, round)]))


def run(store: BodyStore, *, stop: Callable[[], bool] = lambda: False, now: datetime | None = None) -> SweepResult:
    """Make one pass; ends early, between two batches, once `stop` says so.

    Rejected while another pass runs anywhere on this database; Unavailable when the body store is away.
    """
    began = timezone.now()
    round = SweepContext(store, now or began, stop)
    with lease():
        swept = SweepResult(**_figures((step, step.act(round)) for step in STEPS))
        if not stop():
            SweepPass.objects.filter(started_at__lt=began - KEPT_PASSES).delete()
            SweepPass.objects.create(started_at=began, ended_at=timezone.now(), figures=asdict(swept))
    return swept


def tend(store: BodyStore, *, stop: Callable[[], bool] = lambda: False) -> int:
    """What cannot wait for the next pass, for a clock that runs in between: warnings, then removals asked for at once.

    And the reading of bodies, a little at a time.

    Returns how many owners were warned. Rejected as `run`.
    """
    round = SweepContext(store, timezone.now(), stop)
    with lease():
        (warned,) = WARN.act(round)
        REMOVED.act(round)
        BODY_CHECK.act(round)
    return warned


def _figures(done: Iterable[tuple[Step, tuple[int, ...]]]) -> dict[str, int]:
    """Their sums, by name."""
    sums: Counter[str] = Counter()
    for step, figures in done:
        sums.update(dict(zip(step.figures, figures, strict=True)))
    return dict(sums)
