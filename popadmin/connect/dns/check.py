"""Wanted against found for one domain: asked of DNS, kept for an hour, and judged anew whenever it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from mailstore.models import DnsLookup, Domain
from popadmin.connect.dns import judgement, lookup, wanted
from popadmin.connect.dns.judgement import State
from popadmin.connect.dns.lookup import Answer, Outcome
from popadmin.connect.dns.record import Kind, Need, Question, RecordSet, zone

FRESH = timedelta(hours=1)
Answers = dict[Question, Answer]


@dataclass(frozen=True, slots=True)
class Row:
    """A set of records with what was found. Without a `state`, DNS has not been asked yet."""

    records: RecordSet
    state: State | None
    found: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """All rows of a domain, the one name for all domains apart. `looked_up_at` is None if DNS was not asked yet."""

    rows: list[Row]
    name_for_all: Row | None
    looked_up_at: datetime | None
    zone: str

    @property
    def is_fresh(self) -> bool:
        """Return whether the answers are of the last hour, and are those to all present questions."""
        is_recent = self.looked_up_at is not None and self.looked_up_at > timezone.now() - FRESH
        return is_recent and all(row.state is not None for row in self.rows)

    @property
    def needed_are_good(self) -> bool:
        """Return whether mail comes: no needed record is missing, different or unknown."""
        return all(row.state == State.GOOD for row in self.rows if row.records.need == Need.MAIL)


def saved(domain: Domain) -> Check:
    """Return the check by the answers of the last look-up: one query, and nothing is asked."""
    row = DnsLookup.objects.filter(domain=domain).first()
    return _check(domain.name, _read(row.answers) if row else {}, row.looked_up_at if row else None)


def look_up(domain: Domain, *, budget_seconds: float = lookup.BUDGET_SECONDS) -> Check:
    """Ask DNS, which takes the budget at most, and keep the answers."""
    answers, now = _ask(domain.name, budget_seconds), timezone.now()
    DnsLookup.objects.update_or_create(domain=domain, defaults={"answers": _written(answers), "looked_up_at": now})
    return _check(domain.name, answers, now)


def look_up_name(domain: str) -> Check:
    """Ask DNS for a domain that is not here yet. `domain` has A-labels."""
    return _check(domain, _ask(domain, lookup.BUDGET_SECONDS), timezone.now())


def unasked(domain: str) -> Check:
    """Return what a domain should have, without asking DNS. `domain` has A-labels."""
    return _check(domain, {}, None)


def _ask(domain: str, budget_seconds: float) -> Answers:
    site = wanted.site()
    questions = [*(each.question for each in _sets(domain, site)), _web_host(site)]
    return lookup.answers(questions, budget_seconds=budget_seconds)


def _sets(domain: str, site: wanted.Site) -> list[RecordSet]:
    for_all = wanted.name_for_all(site)
    return [*wanted.records(domain, site), *([for_all] if for_all else [])]


def _web_host(site: wanted.Site) -> Question:
    return Question(site.web_host, Kind.CNAME)


def _check(domain: str, answers: Answers, looked_up_at: datetime | None) -> Check:
    site = wanted.site()
    host = answers.get(_web_host(site), Answer(Outcome.FAILED))
    sets = _sets(domain, site)
    rows = [_row(each, answers.get(each.question), host) for each in sets]
    return Check(
        rows=[row for row in rows if not row.records.of_site],
        name_for_all=next((row for row in rows if row.records.of_site), None),
        looked_up_at=looked_up_at,
        zone=zone(sets),
    )


def _row(records: RecordSet, answer: Answer | None, host: Answer) -> Row:
    if answer is None:
        return Row(records, None, ())
    return Row(records, judgement.state(records, answer, host), answer.texts)


def _written(answers: Answers) -> list[list[object]]:
    return [[*question, answer.outcome, answer.texts] for question, answer in answers.items()]


def _read(rows: list[list[object]]) -> Answers:
    return {
        Question(str(name), Kind(kind)): Answer(Outcome(outcome), tuple(texts))  # type: ignore[arg-type]  # JSON of ours
        for name, kind, outcome, texts in rows
    }
