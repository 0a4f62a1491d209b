"""Holds rows against bodies, stays and sums; `repair` clears litter and mends counters, never a loss."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from mailstore.errors import BodyLost
from mailstore.models import Body, Mailbox, Message
from mailstore.policy import ids
from mailstore.ports import BodyRef, BodyStore
from mailstore.store import counters, purge, stays

GRACE_SECONDS = 3600  # a body this young may belong to a delivery that is still under way
BATCH_ROWS = 1000

Progress = Callable[[str, int, int | None], None]  # what is looked at, how many so far, of how many if that is known


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `mended` is true when the repair has put it right."""

    kind: str  # "lost", "litter", "unclaimed", "orphan", "stay" or "counter"
    subject: str
    detail: str
    mended: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """How to look: `deep` reads every octet, `repair` mends, `progress` is told after each batch."""

    store: BodyStore
    deep: bool = False
    repair: bool = False
    progress: Progress = lambda _what, _count, _total: None

    def run(self) -> Iterator[Finding]:
        """Yield what is wrong as it is found, in memory that does not grow. Unavailable when the store is away."""
        yield from self._drafts()
        yield from self._files()
        yield from self._orphans()
        yield from self._stays()
        yield from self._bodies()
        yield from self._counters()

    def _drafts(self) -> Iterator[Finding]:
        for name in self.store.litter(GRACE_SECONDS):
            if self.repair:
                self.store.remove(name)
            yield Finding("litter", name, "a draft that was never finished", mended=self.repair)

    def _files(self) -> Iterator[Finding]:
        """Bodies at rest that no row names: what a delivery leaves that died between the two."""
        repair = self.repair and Body.objects.exists()  # no row at all: this may be another site's store
        names, count = iter(self.store.keys()), 0
        while batch := list(islice(names, BATCH_ROWS)):
            known = set(Body.objects.filter(key__in=batch).values_list("key", flat=True))
            for key in sorted(set(batch) - known):
                if _age_seconds(key) > GRACE_SECONDS:
                    if repair:
                        self.store.remove(key)
                    yield Finding("litter", key, "a body without a row", mended=repair)
            count += len(batch)
            self.progress("files", count, None)

    def _orphans(self) -> Iterator[Finding]:
        """Messages of no mailbox: nobody can reach them, and no constraint holds them to one (see models.Message)."""
        orphans = Message.objects.filter(~Exists(Mailbox.objects.filter(pk=OuterRef("mailbox_id"))))
        for key, uidl, mailbox in orphans.order_by("pk").values_list("pk", "uidl", "mailbox_id"):
            if self.repair:
                with transaction.atomic():
                    purge.messages([key])
            yield Finding("orphan", uidl, f"its mailbox, number {mailbox}, is gone", mended=self.repair)

    def _stays(self) -> Iterator[Finding]:
        for wrong in stays.wrong():
            if self.repair:
                wrong.mend()
            yield Finding("stay", wrong.subject, f"an earlier stay: {wrong.detail}", mended=self.repair)

    def _bodies(self) -> Iterator[Finding]:
        """Each row's body: is it there, whole, the one that was stored; and does a message have it."""
        total, count, after = Body.objects.count(), 0, 0
        taken = Exists(Message.objects.filter(body=OuterRef("pk")))
        rows = Body.objects.annotate(taken=taken).order_by("pk")
        while batch := list(rows.filter(pk__gt=after)[:BATCH_ROWS]):
            for body in batch:
                if body.taken:
                    yield from self._look_at(body)
                elif body.unreferenced_at is None:
                    yield self._unclaimed(body)
            after, count = batch[-1].pk, count + len(batch)
            self.progress("bodies", count, total)

    def _look_at(self, body: Body) -> Iterator[Finding]:
        ref = BodyRef(body.key, body.wire_octets, body.octets, bytes(body.digest))
        try:
            if self.deep:
                self.store.verify(ref)
            else:
                self.store.open(ref).close()
        except BodyLost as loss:
            # Asked again now: the last row may have been purged, and the body with it, since the batch was read.
            for message in Message.objects.filter(body=body.pk).select_related("mailbox__user"):
                where = "" if message.removed is None else ", in recovery"
                subject = f"{message.mailbox.user.address} {message.uidl}"
                yield Finding("lost", subject, f"body {body.key}{where}: {loss}")

    def _unclaimed(self, body: Body) -> Finding:
        """Its last message left without saying so: the sweep would never find it."""
        if self.repair:
            Body.objects.filter(pk=body.pk, unreferenced_at=None).update(unreferenced_at=timezone.now())
        return Finding("unclaimed", body.key, "no message has this body; the sweep may take it", mended=self.repair)

    def _counters(self) -> Iterator[Finding]:
        for wrong in counters.wrong():
            if self.repair:
                wrong.mend()
            detail = "says {} messages, {} octets; has {} messages, {} octets".format(*wrong.counted, *wrong.found)
            yield Finding("counter", wrong.subject, detail, mended=self.repair)


def _age_seconds(key: str) -> float:
    milliseconds, _chance = ids.parts(key)
    return time.time() - milliseconds / 1000
