"""Compare rows with bodies, stays and sums. A repair moves litter aside and corrects rows. It restores no lost body."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from mailstore import bodies
from mailstore.amount_text import MESSAGES, OCTETS, numbered
from mailstore.directory import message_purge
from mailstore.errors import BodyLost, BodyUnreadable, TryAgain
from mailstore.integrity import row_checks
from mailstore.messages.message_file import ref_of
from mailstore.models import Body, Mailbox, Message
from mailstore.ports import BodyStore
from mailstore.retention import body_census, store_tie
from mailstore.retention.body_census import BATCH_ROWS, GRACE_SECONDS, Census, Progress

LOOK_BODIES = 100  # between two reports to `progress`


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `mended` is True when the repair has corrected it."""

    # "store", "foreign", "aside", "litter", "refused", "lost", "unclaimed", "orphan", "stay" or "counter"
    kind: str
    subject: str
    detail: str
    mended: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """What to do: `deep` reads every octet, `repair` corrects. `progress` hears of each batch.

    `destroy` is the number of bodies without a row that a repair may set aside, if they are more than deliveries leave
    behind.
    """

    store: BodyStore
    deep: bool = False
    repair: bool = False
    destroy: int | None = None
    progress: Progress = lambda _what, _count, _total: None

    def run(self) -> Iterator[Finding]:
        """Yield each finding at once, so that memory stays small. Raises Unavailable when the store is away."""
        yield from self._foreign()
        yield from self._aside()
        yield from self._files()
        yield from self._orphans()
        yield from self._stays()
        yield from self._bodies()
        yield from self._counters()

    def _foreign(self) -> Iterator[Finding]:
        """Find files that the owner of the store, who serves the mail, cannot use."""
        count = 0
        for names, found in self.store.foreign():
            for each in found:
                mended = self.repair and self.store.mend(each)
                detail = each.detail if mended else f"{each.detail}: {each.remedy}"
                yield Finding("foreign", each.name, detail, mended=mended)
            count += names
            self.progress("owners", count, None)

    def _aside(self) -> Iterator[Finding]:
        """Find bodies in the quarantine that have a row. A repair with another database has moved them there."""
        for found in body_census.in_quarantine_with_row(self.store):
            for body in (each for each in found if self._is_missing(each.key)):
                detail, mended = "a body with a row is in the quarantine", self.repair
                if self.repair:
                    try:
                        self.store.bring_back(body.name)
                    except TryAgain as error:
                        detail, mended = f"{detail}; it stays: {error}", False
                yield Finding("aside", body.key, detail, mended=mended)

    def _is_missing(self, key: str) -> bool:
        """Return whether there is no whole body in the place of this key. A backup may have brought one back."""
        try:
            self.store.examine(key)
        except (BodyLost, BodyUnreadable):
            return True
        return False

    def _files(self) -> Iterator[Finding]:
        """Find drafts, and bodies without a row. A delivery that was killed leaves them."""
        found = body_census.count(self.store, self.progress)
        foreign = store_tie.wrong(self.store, found)
        if foreign is not None:
            yield Finding("store", self.store.store_id() or "", foreign)
        refusal = self._refusal(found, foreign) if self.repair else None
        if refusal is not None:
            yield Finding("refused", numbered(found.unknown, "body", "bodies"), refusal)
        repair = self.repair and refusal is None
        yield from self._drafts(repair=repair)
        if found.unknown:
            yield from self._litter(found.unknown if repair else 0)

    def _refusal(self, found: Census, foreign: str | None) -> str | None:
        """Return why a repair may touch no file, or None."""
        if self.destroy is not None:
            return None if self.destroy == found.unknown else f"--destroy says {self.destroy}: no file was touched"
        if foreign is None and found.is_ordinary():
            return None
        return (
            f"have no row in this database, which knows {found.known}: is it the right one? No file was touched. "
            f"fsck --adopt ADDRESS brings them back as mail; fsck --repair --destroy {found.unknown} sets them aside"
        )

    def _drafts(self, *, repair: bool) -> Iterator[Finding]:
        for name in self.store.litter(GRACE_SECONDS):
            detail, mended = "a draft that was never finished", repair
            if repair:
                try:
                    self.store.remove(name)
                except TryAgain as error:
                    detail, mended = f"{detail}; it stays: {error}", False
            yield Finding("litter", name, detail, mended=mended)

    def _litter(self, most: int) -> Iterator[Finding]:
        """Find bodies without a row, and set `most` of them aside, the number that was counted."""
        count = 0
        for keys in body_census.without_row(self.store):
            moved, why = self._set_aside(keys[: most - count])
            for key in keys:
                yield Finding("litter", key, f"a body without a row{why}", mended=key in moved)
            count += len(moved)
            self.progress("litter", count, most or None)

    def _set_aside(self, keys: list[str]) -> tuple[set[str], str]:
        try:
            return self.store.set_aside(keys) if keys else set(), ""
        except TryAgain as error:
            return set(), f"; it stays: {error}"

    def _orphans(self) -> Iterator[Finding]:
        """Find messages without a mailbox. Nobody can reach them. No constraint prevents them: see models.Message."""
        orphans = Message.objects.filter(~Exists(Mailbox.objects.filter(pk=OuterRef("mailbox_id")))).order_by("pk")
        after = 0
        while batch := orphans.filter(pk__gt=after).values_list("pk", "uidl", "mailbox_id")[:BATCH_ROWS]:
            for after, uidl, mailbox in batch:
                if self.repair:
                    with transaction.atomic():
                        message_purge.messages([after])
                yield Finding("orphan", uidl, f"its mailbox, number {mailbox}, is gone", mended=self.repair)

    def _stays(self) -> Iterator[Finding]:
        for wrong in row_checks.wrong_stays():
            if self.repair:
                wrong.correct()
            yield Finding("stay", wrong.subject, f"an earlier stay: {wrong.detail}", mended=self.repair)

    def _bodies(self) -> Iterator[Finding]:
        """Check that the body of each row is there and whole, and that a message has it."""
        total, count, after = Body.objects.count(), 0, 0
        taken = Exists(Message.objects.filter(body=OuterRef("pk")))
        rows = Body.objects.annotate(taken=taken).order_by("pk")
        while batch := list(rows.filter(pk__gt=after)[:BATCH_ROWS]):
            for body in batch:
                if body.taken:
                    yield from self._look_at(body)
                elif body.unreferenced_at is None:
                    yield self._unclaimed(body)
                count += 1
                if self.deep or count % LOOK_BODIES == 0:
                    self.progress("bodies", count, total)
            after = batch[-1].pk

    def _look_at(self, body: Body) -> Iterator[Finding]:
        loss = self._loss_of(body)
        if loss is None:
            return
        # Read again, since the last message may have been purged with its body after the batch was read.
        for message in Message.objects.filter(body=body.pk).select_related("mailbox__user").order_by("pk"):
            where = "" if message.removed is None else ", in recovery"
            subject = f"{message.mailbox.user.address} {message.uidl}"
            yield Finding("lost", subject, f"body {body.key}{where}: {loss}")

    def _loss_of(self, body: Body) -> str | None:
        """Return what is wrong with a body, or None. One that is known as damaged is read whole, as in a deep check."""
        try:
            if self.deep or body.damaged_at is not None:
                self.store.verify(ref_of(body))
            else:
                bodies.open_and_wait(self.store, ref_of(body)).close()
        except (BodyLost, BodyUnreadable) as loss:
            return str(loss)
        return None

    def _unclaimed(self, body: Body) -> Finding:
        """Report a body whose last message left without a mark on the body, so that the sweep would never find it."""
        if self.repair:
            Body.objects.filter(pk=body.pk, unreferenced_at=None).update(unreferenced_at=timezone.now())
        return Finding("unclaimed", body.key, "no message has this body; the sweep may take it", mended=self.repair)

    def _counters(self) -> Iterator[Finding]:
        for wrong in row_checks.wrong_counters():
            if self.repair:
                wrong.correct()
            detail = f"says {_contents(*wrong.counted)}; has {_contents(*wrong.found)}"
            yield Finding("counter", wrong.subject, detail, mended=self.repair)


def _contents(messages: int, octets: int) -> str:
    return f"{numbered(messages, *MESSAGES)}, {numbered(octets, *OCTETS)}"
