"""What every maildrop must do: one state of a mailbox, steady until the session ends."""

from __future__ import annotations

import pytest

from mailstore.errors import BadCredentials, BodyLost, MailError
from mailstore.ports import Handled, SessionRecord
from tests.suites.site import ANN, WIRE, Site, deliver, message, opened, read, remove, uidls


def numbered(number: int) -> bytes:
    return b"Subject: %d\r\n\r\n..\r\n" % number + b"%d" % number * (10 * number + 1) + b"\r\n"


class MaildropSuite:
    @pytest.fixture
    def three(self, site: Site) -> Site:
        """A site where Ann has three messages."""
        site.add_mailbox(ANN)
        for number in (1, 2, 3):
            assert not isinstance(deliver(site, ANN, numbered(number)), MailError)
        return site

    def test_an_empty_maildrop_has_an_empty_list(self, site: Site) -> None:
        site.add_mailbox(ANN)
        drop = opened(site)
        assert (drop.messages, drop.octets, uidls(site, drop)) == (0, 0, [])

    def test_every_message_is_read_as_it_came_in_the_order_of_arrival(self, three: Site) -> None:
        drop = opened(three)
        assert drop.messages == len(set(uidls(three, drop))) == 3
        for number in (3, 1, 2, 1):
            assert read(three, drop, number).endswith(numbered(number))

    def test_the_octets_of_a_message_are_those_of_the_list(self, three: Site) -> None:
        drop = opened(three)
        (listing,) = three.ask(drop.listing)
        assert [message(three, drop, number).octets for number in (1, 2, 3)] == list(listing.octets)

    def test_a_message_may_be_asked_for_before_the_list(self, three: Site) -> None:
        assert read(three, opened(three), 2).endswith(numbered(2))

    @pytest.mark.req("P-052")
    def test_mail_that_arrives_during_a_session_belongs_to_the_next(self, three: Site) -> None:
        drop = opened(three)
        deliver(three, ANN, WIRE)
        assert drop.messages == len(uidls(three, drop)) == 3
        later = opened(three)
        assert uidls(three, later)[:3] == uidls(three, drop)
        assert read(three, later, 4).endswith(WIRE)

    def test_what_one_session_removes_is_gone_for_the_next_and_not_for_one_that_is_open(self, three: Site) -> None:
        drop, other = opened(three), opened(three)
        before = uidls(three, other)
        assert remove(three, drop, 1, 3) == 2
        assert uidls(three, opened(three)) == [before[1]]
        assert uidls(three, other) == before
        assert read(three, other, 1).endswith(numbered(1))

    def test_a_message_that_was_removed_before_counts_as_removed(self, three: Site) -> None:
        drop, other = opened(three), opened(three)
        assert remove(three, drop, 1) == 1
        assert remove(three, other, 1, 2) == 2
        assert opened(three).messages == 1

    def test_a_changed_password_removes_nothing(self, three: Site) -> None:
        drop = opened(three)
        three.change_password(ANN, "another one")
        assert isinstance(remove(three, drop, 1), BadCredentials)
        three.change_password(ANN, "correct horse battery staple")
        assert opened(three).messages == 3

    def test_a_session_hears_that_its_password_was_changed(self, three: Site) -> None:
        drop = opened(three)
        heard: list[bool] = []
        three.act(lambda: drop.watch(lambda: heard.append(True)))
        three.change_password(ANN, "another one")
        three.until(lambda: heard)
        three.act(lambda: drop.ended(SessionRecord("192.0.2.7"), Handled((), 0, ())))

    def test_a_session_that_ended_hears_nothing_more(self, three: Site) -> None:
        first, second = opened(three), opened(three)
        heard: list[str] = []
        three.act(lambda: first.watch(lambda: heard.append("first")))
        three.act(lambda: second.watch(lambda: heard.append("second")))
        three.act(lambda: first.ended(SessionRecord("192.0.2.7"), Handled((), 0, ())))
        three.change_password(ANN, "another one")
        three.until(lambda: heard)
        assert set(heard) == {"second"}

    def test_a_lost_body_is_said_before_any_octet_and_the_others_are_read(self, three: Site) -> None:
        three.lose_body(ANN, 2)
        drop = opened(three)
        assert isinstance(message(three, drop, 2), BodyLost)
        assert read(three, drop, 1).endswith(numbered(1))
        assert read(three, drop, 3).endswith(numbered(3))

    def test_an_end_needs_no_list_before_it(self, three: Site) -> None:
        drop = opened(three)
        three.act(lambda: drop.ended(SessionRecord("192.0.2.7"), Handled((), 0, ())))
