"""What every delivery must do: decide each recipient, and answer each of them once with what is durable."""

from __future__ import annotations

import pytest

from mailstore.errors import QuotaDeferred, QuotaRejected, RecipientDisabled, TryAgain, UnknownRecipient
from mailstore.ports import Delivered, Recipient
from tests.suites.site import ANN, BOB, ENVELOPE, WIRE, WIRE_OCTETS, Site, deliver, hand_in, opened, read, recipient


class DeliverySuite:
    @pytest.fixture
    def both(self, site: Site) -> Site:
        """A site with Ann and Bob."""
        site.add_mailbox(ANN)
        site.add_mailbox(BOB)
        return site

    @pytest.mark.parametrize("address", [ANN, "Ann@Example.ORG"])
    def test_a_recipient_is_known_in_any_case_and_kept_as_typed(self, both: Site, address: str) -> None:
        found = recipient(both, address)
        assert isinstance(found, Recipient)
        assert found.address == address
        assert found.mailboxes == recipient(both, ANN).mailboxes

    def test_who_has_no_mailbox_is_unknown(self, both: Site) -> None:
        for address in ("nobody@example.org", "ann@elsewhere.example"):
            assert type(recipient(both, address)) is UnknownRecipient

    def test_a_mailbox_that_receives_nothing_is_refused_at_rcpt(self, both: Site) -> None:
        both.stop_receiving(ANN)
        assert type(recipient(both, ANN)) is RecipientDisabled
        assert isinstance(recipient(both, BOB), Recipient)

    @pytest.mark.parametrize(("reject", "said"), [(True, QuotaRejected), (False, QuotaDeferred)])
    def test_a_full_mailbox_is_refused_as_its_domain_says(self, both: Site, *, reject: bool, said: type) -> None:
        both.leave_no_room(ANN, reject=reject)
        assert type(recipient(both, ANN, octets=100)) is said
        assert type(recipient(both, ANN)) is said

    def test_a_delivered_message_is_read_back_as_it_came(self, both: Site) -> None:
        answer = deliver(both)
        assert isinstance(answer, Delivered)
        drop = opened(both)
        wire = read(both, drop, 1)
        assert wire.endswith(WIRE)
        assert drop.octets == len(wire) - len(WIRE) + WIRE_OCTETS

    @pytest.mark.parametrize("step", [1, 7, len(WIRE)])
    def test_pieces_of_any_size_make_one_message(self, both: Site, step: int) -> None:
        pieces = [WIRE[start : start + step] for start in range(0, len(WIRE), step)]
        assert isinstance(hand_in(both, [recipient(both)], *pieces)[0], Delivered)
        assert read(both, opened(both), 1).endswith(WIRE)

    def test_each_recipient_has_an_answer_and_a_message_of_its_own(self, both: Site) -> None:
        answers = hand_in(both, [recipient(both, BOB), recipient(both, ANN)], WIRE)
        assert len({answer.queue_id for answer in answers}) == 2
        for address in (ANN, BOB):
            assert read(both, opened(both, address), 1).endswith(WIRE)

    def test_a_mailbox_named_by_several_recipients_gets_one_copy_and_each_of_them_a_reply(self, both: Site) -> None:
        answers = hand_in(both, [recipient(both, ANN), recipient(both, BOB), recipient(both, "ANN@example.org")], WIRE)
        assert [type(answer) for answer in answers] == [Delivered] * 3
        assert (opened(both, ANN).messages, opened(both, BOB).messages) == (1, 1)

    def test_of_several_recipients_who_are_one_full_mailbox_each_is_told(self, both: Site) -> None:
        recipients = [recipient(both, ANN), recipient(both, "ANN@example.org")]
        both.leave_no_room(ANN, reject=False)
        assert [type(answer) for answer in hand_in(both, recipients, WIRE)] == [QuotaDeferred] * 2

    def test_one_recipient_who_is_full_meanwhile_keeps_the_message_from_no_other(self, both: Site) -> None:
        recipients = [recipient(both, ANN), recipient(both, BOB)]
        both.leave_no_room(ANN, reject=False)
        refused, delivered = hand_in(both, recipients, WIRE)
        assert type(refused) is QuotaDeferred
        assert isinstance(delivered, Delivered)
        assert (opened(both, ANN).messages, opened(both, BOB).messages) == (0, 1)

    def test_a_message_that_is_given_up_leaves_nothing(self, both: Site) -> None:
        recipient(both)

        def give_up() -> None:
            intake = both.delivery.begin(ENVELOPE)
            intake.write(WIRE)
            intake.abort()

        both.act(give_up)
        assert opened(both).messages == 0

    def test_a_store_that_is_away_is_said_to_each_recipient_as_temporary(self, both: Site) -> None:
        recipients = [recipient(both, ANN), recipient(both, BOB)]
        both.lose_store()
        answers = hand_in(both, recipients, WIRE)
        assert len(answers) == 2
        assert all(isinstance(answer, TryAgain) for answer in answers)
        assert opened(both).messages == 0
