"""The site of the suites on Postgres and files, with the accounts and delivery of one worker."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mailstore.delivery.delivery import StoredDelivery
from mailstore.delivery.gatekeeper import StoredGatekeeper
from mailstore.delivery.message_writer import Placement
from mailstore.directory import mailboxes
from mailstore.maildrop.accounts import StoredAccounts
from mailstore.maildrop.senders import StoredSenders
from mailstore.models import Domain, Mailbox, Message, User
from mailstore.ports import BodyStore
from tests.site.rows import ACTOR, a_domain
from tests.site.worker import Ask, Worker
from tests.suites.site import PASSWORD


class StoredSite:
    def __init__(
        self,
        worker: Worker,
        accounts: StoredAccounts,
        senders: StoredSenders,
        delivery: StoredDelivery,
        gatekeeper: StoredGatekeeper,
        store: BodyStore,
        folder: Path,
    ) -> None:
        self.accounts = accounts
        self.senders = senders
        self.delivery = delivery
        self.gatekeeper = gatekeeper
        self._worker = worker
        self._store = store
        self._folder = folder

    def ask(self, *calls: Ask) -> list[Any]:
        return self._worker.asked(*calls)

    def act(self, call: Callable[[], Any]) -> Any:
        async def acted() -> Any:
            return call()

        return self._worker.run(acted())

    def until(self, holds: Callable[[], object]) -> None:
        self._worker.until(holds, "what the suite waits for")

    def hold_answers(self) -> None:
        """Every answer comes in a later turn of the loop."""

    def add_mailbox(self, address: str, password: str = PASSWORD) -> None:
        a_domain(address.rpartition("@")[2])
        mailboxes.ensure(address, actor=ACTOR, password=PASSWORD)
        self.change_password(address, password)

    def place(self, address: str, wire: bytes, *, uidl: str, prefix: bytes) -> None:
        """Put a message into a maildrop as it is, past the delivery headers."""
        draft = self._store.begin()
        draft.write(wire)
        ref = draft.commit(len(wire) - (b"\r\n" + wire).count(b"\r\n."))
        mailbox = Mailbox.objects.get(user__address=address).pk
        placement = Placement((mailbox,), ref, prefix, uidl=uidl)
        assert self.ask(lambda done: self.delivery.place(placement, done)) == [None]

    def suspend(self, address: str) -> None:
        User.objects.filter(address=address).update(is_active=False)

    def switch_pop_off(self, address: str) -> None:
        Mailbox.objects.filter(user__address=address).update(pop=False)

    def switch_sending_off(self, address: str) -> None:
        Mailbox.objects.filter(user__address=address).update(smtp=False)

    def bar_main_password(self, address: str) -> None:
        Mailbox.objects.filter(user__address=address).update(main_pop=False)

    def change_password(self, address: str, password: str) -> None:
        user = User.objects.get(address=address)
        user.set_password(password)
        user.save()

    def stop_receiving(self, address: str) -> None:
        Mailbox.objects.filter(user__address=address).update(receives=False)

    def leave_no_room(self, address: str, *, reject: bool) -> None:
        Mailbox.objects.filter(user__address=address).update(quota_octets=0)
        Domain.objects.update(over_quota="reject" if reject else "defer")

    def lose_body(self, address: str, number: int) -> None:
        rows = Message.objects.filter(mailbox__user__address=address, removed=None).order_by("added")
        (file,) = self._folder.rglob(rows[number - 1].body.key)
        file.unlink()

    def lose_store(self) -> None:
        shutil.rmtree(self._folder)
