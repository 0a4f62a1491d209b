"""The TRANSACTION state of a POP3 session, and the UPDATE state that QUIT enters: what the client sees and did."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from mailstore.errors import MailError
from mailstore.pop3 import replies
from mailstore.pop3.authorization import SIGN_IN_CAPABILITIES
from mailstore.ports import Handled
from mailstore.wire import top_range

if TYPE_CHECKING:
    from mailstore.pop3.protocol import Rules
    from mailstore.ports import Done, Journal, Listing, Maildrop, Message, OpenBody, Peer, SessionRecord
    from mailstore.wire.turn_taker import TurnTaker

    Range = tuple[bytes, int]  # part of a prefix, and how many octets of the body behind it


class Fetched:
    """The messages that RETR sent whole. `numbers` has them in the order in which they were sent.

    A client has a message when it sends something after it. What a pipelining client had sent before says nothing.
    So each message is kept with the count of receipts at the time: how often octets had come from the client.
    """

    __slots__ = ("_receipts", "numbers")

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self._receipts: list[int] = []

    def add(self, number: int, receipt_count: int) -> None:
        """Add a message that is out, whole."""
        self.numbers.append(number)
        self._receipts.append(receipt_count)

    def confirmed_count(self, obeyed_receipt: int) -> int:
        """Return how many of `numbers`, from the first, the client has: a command came after them.

        `obeyed_receipt` is the receipt in which the last command came.
        """
        return bisect_left(self._receipts, obeyed_receipt)


class Marks:
    """The messages that DELE marked. Numbers run from 1 and never change (RFC 1939 §4)."""

    __slots__ = ("_octets", "numbers")

    def __init__(self) -> None:
        self.numbers: set[int] = set()
        self._octets = 0

    def add(self, number: int, listing: Listing) -> None:
        self.numbers.add(number)
        self._octets += listing.octets[number - 1]

    def clear(self) -> None:
        self.numbers.clear()
        self._octets = 0

    def messages_left(self, maildrop: Maildrop) -> int:
        return maildrop.messages - len(self.numbers)

    def octets_left(self, maildrop: Maildrop) -> int:
        return maildrop.octets - self._octets


class Transaction:
    """Obeys the commands after sign-in.

    `updating` is true while the messages of QUIT are being removed (the UPDATE state).
    """

    def __init__(
        self,
        peer: Peer,
        turns: TurnTaker,
        maildrop: Maildrop,
        journal: Journal,
        *,
        rules: Rules,
        record: SessionRecord,
    ) -> None:
        self._peer = peer
        self._turns = turns
        self._maildrop = maildrop
        self._journal = journal
        self._rules = rules
        self._record = record
        self._listing: Listing | None = None  # asked for once in a session
        self._marks = Marks()
        self._fetched = Fetched()
        self._number = 0  # of the message that RETR or TOP asked for last
        self._listed = False
        self._quitting = False
        self.updating = False
        record.address, record.device, record.messages = maildrop.address, maildrop.device, maildrop.messages
        maildrop.watch(self._end_barred)

    def greet(self) -> None:
        """Answer the sign-in."""
        self._turns.say(replies.signed_in(self._maildrop.messages, self._maildrop.octets))

    def report_end(self) -> None:
        """Tell journal and maildrop of the session, once, when the connection is gone and no answer is awaited."""
        self._journal.session_ended(self._record)
        self._maildrop.ended(self._record, self._handled())

    def _handled(self) -> Handled:
        fetched, record = self._fetched, self._record
        all_confirmed = self._quitting or record.reason == "quit"
        count = len(fetched.numbers) if all_confirmed else fetched.confirmed_count(self._turns.obeyed_receipt)
        return Handled(
            fetched=fetched.numbers,
            confirmed=count,
            removed=sorted(self._marks.numbers) if record.removed else (),
            unremoved=0 if record.removed else len(self._marks.numbers),
            listed=self._listed,
        )

    def _end_barred(self) -> None:
        """End at once, since the device may use POP no more. A removal under way is answered first."""
        if not self.updating:
            self._turns.cut("barred")

    # --- commands about the session -------------------------------------------------------------------------------

    def capa(self) -> None:
        may_pass = self._rules.password_may_pass(encrypted=self._peer.encrypted, loopback=self._peer.loopback)
        expires = replies.expire(self._maildrop.expire_days, differs=False)
        self._turns.say(replies.capabilities(SIGN_IN_CAPABILITIES if may_pass else (), stls=False, expires=expires))

    def utf8(self) -> None:
        self._turns.say(replies.UTF8_ON)

    def noop(self) -> None:
        self._turns.say(replies.OK)

    def rset(self) -> None:
        self._marks.clear()
        self._turns.say(replies.UNMARKED)

    def quit(self) -> None:
        if not self._marks.numbers:
            self._turns.say(replies.GOODBYE)
            self._turns.end("quit")
            return
        # RFC 1939 §6: the UPDATE state; the answer waits until the removal is durable.
        self._quitting = self.updating = True
        self._turns.wait()
        self._maildrop.remove(sorted(self._marks.numbers), self._removed)

    def _removed(self, answer: int | MailError) -> None:
        self.updating = False
        self._turns.hear(partial(self._conclude, answer))

    def _conclude(self, answer: int | MailError) -> None:
        if isinstance(answer, MailError):
            self._journal.trouble(answer, f"removing messages of {self._maildrop.address}")
            self._turns.say(replies.NOT_REMOVED)
        else:
            self._record.removed = answer
            self._turns.say(replies.GOODBYE)
        if self._turns.gone:
            self.report_end()
        else:
            self._turns.end("quit")

    # --- commands about the list ----------------------------------------------------------------------------------

    def stat(self) -> None:
        self._listed = True
        maildrop, marks = self._maildrop, self._marks
        self._turns.say(replies.stat(marks.messages_left(maildrop), marks.octets_left(maildrop)))

    def list(self, number: int | None = None) -> None:
        if number is None:
            self._with_listing(self._write_scan_listing)
        elif self._is_there(number):
            self._with_listing(lambda listing: self._turns.say(replies.scan_line(listing, number)))

    def uidl(self, number: int | None = None) -> None:
        if number is None:
            self._with_listing(self._write_unique_ids)
        elif self._is_there(number):
            self._with_listing(lambda listing: self._turns.say(replies.unique_id_line(listing, number)))

    def dele(self, number: int) -> None:
        if self._is_there(number):
            self._with_listing(partial(self._mark, number))

    def _write_scan_listing(self, listing: Listing) -> None:
        self._turns.say(replies.scan_listing(listing, self._marks.numbers))

    def _write_unique_ids(self, listing: Listing) -> None:
        self._record.uidl_digest = replies.unique_id_digest(listing)
        self._turns.say(replies.unique_id_listing(listing, self._marks.numbers))

    def _mark(self, number: int, listing: Listing) -> None:
        self._marks.add(number, listing)
        self._record.dele += 1
        self._turns.say(replies.MARKED)

    def _with_listing(self, then: Callable[[Listing], None]) -> None:
        """Call `then` with the list, which is asked for once in a session."""
        self._listed = True
        if self._listing is None:
            done: Done[Listing] = self._turns.answer_to(partial(self._keep_listing, then), self._refuse_listing)
            self._maildrop.listing(done)
        else:
            then(self._listing)

    def _keep_listing(self, then: Callable[[Listing], None], listing: Listing) -> None:
        self._listing = listing
        then(listing)

    # --- commands about one message -------------------------------------------------------------------------------

    def retr(self, number: int) -> None:
        self._open(number, self._send_whole)

    def top(self, number: int, line_count: int) -> None:
        self._open(number, partial(self._search_top, line_count))

    def _open(self, number: int, then: Callable[[Message], None]) -> None:
        self._listed = True
        if self._is_there(number):
            self._number = number
            self._maildrop.message(number, self._turns.answer_to(then, self._refuse_message))

    def _send_whole(self, message: Message) -> None:
        self._record.retr += 1
        head = replies.message_follows(message.octets) + message.prefix
        body = message.body
        self._turns.send_body(head, body, body.wire_octets, replies.END, sent=self._retr_sent)

    def _retr_sent(self) -> None:
        self._fetched.add(self._number, self._turns.receipt_count)

    def _search_top(self, line_count: int, message: Message) -> None:
        search = top_range.top(message.prefix, message.body, line_count)
        done: Done[Range] = self._turns.answer_to(partial(self._send_top, message), self._refuse_message)
        self._search(search, message.body, done)

    def _search(self, search: Iterator[Range | None], body: OpenBody, done: Done[Range]) -> None:
        """Search for one turn for the end of what TOP sends; a long message takes several."""
        try:
            found = None if self._turns.gone else next(search)
        except MailError as error:
            body.close()
            done(error)
            return
        if found is not None:
            done(found)
        elif self._turns.gone:
            body.close()
        else:
            self._peer.next_turn(partial(self._search, search, body, done))

    def _send_top(self, message: Message, found: Range) -> None:
        prefix, count = found
        self._record.top += 1
        self._turns.send_body(replies.HEADER_FOLLOWS + prefix, message.body, count, replies.END, sent=_top_sent)

    # --- refusals -------------------------------------------------------------------------------------------------

    def _is_there(self, number: int) -> bool:
        """Say whether the client may name this message; refuse it where not."""
        if number <= self._maildrop.messages and number not in self._marks.numbers:
            return True
        self._turns.say(replies.NO_SUCH_MESSAGE)
        return False

    def _refuse_message(self, error: MailError) -> None:
        self._refuse(f"message {self._number}", error)

    def _refuse_listing(self, error: MailError) -> None:
        self._refuse("the list", error)

    def _refuse(self, subject: str, error: MailError) -> None:
        self._journal.trouble(error, f"opening {subject} of {self._maildrop.address}")
        self._turns.say(replies.error(error))


def _top_sent() -> None:
    """Count nothing: a message that TOP sent, even whole, is not fetched."""
