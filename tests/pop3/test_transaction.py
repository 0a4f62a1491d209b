"""Signed in: numbers, sizes, lists, whole messages and their tops, and what happens when the store cannot give them."""

from __future__ import annotations

import re

import pytest

from mailstore.errors import BodyLost, MailError, Unavailable
from tests.fakes.pop3 import Conversation, StoredMessage
from tests.pop3.transcript_setup import MESSAGES, signed_in

NUMBERED = ["LIST {}", "UIDL {}", "RETR {}", "DELE {}", "TOP {} 0"]
GONE = "-ERR no such message\r\n"


def unstuffed(reply: bytes) -> bytes:
    """Return the message of a multi-line reply, as a client keeps it."""
    head, end, payload = reply.partition(b"\r\n")
    assert head.startswith(b"+OK")
    assert payload.endswith(b".\r\n")
    return b"".join(line.removeprefix(b".") for line in payload[:-3].splitlines(keepends=True)) if end else b""


@pytest.mark.req("P-058")
def test_stat_is_two_figures_and_needs_no_list() -> None:
    talk = signed_in()
    assert talk.say("STAT") == "+OK 3 106\r\n"
    assert talk.maildrop.listings == 0


def test_the_list_is_asked_for_once_and_no_body_is_touched_by_it() -> None:
    talk = signed_in()
    for line in ("LIST", "UIDL", "LIST 1", "UIDL 2", "DELE 3", "RSET", "LIST"):
        assert talk.say(line).startswith("+OK")
    assert talk.maildrop.listings == 1
    assert talk.maildrop.opened == []


@pytest.mark.req("P-058")
@pytest.mark.req("P-059")
@pytest.mark.req("P-085")
@pytest.mark.parametrize("marked", [[], [1], [2], [1, 3], [1, 2, 3]])
def test_stat_list_and_uidl_agree_whatever_is_marked(marked: list[int]) -> None:
    talk = signed_in()
    for number in marked:
        assert talk.say(f"DELE {number}").startswith("+OK")
    count, octets = map(int, talk.say("STAT").split()[1:])
    scan = [tuple(map(int, line.split())) for line in talk.say("LIST").split("\r\n")[1:-2]]
    unique = [line.split() for line in talk.say("UIDL").split("\r\n")[1:-2]]
    assert (count, octets) == (len(scan), sum(size for _, size in scan))
    assert [number for number, _ in scan] == [number for number in (1, 2, 3) if number not in marked]
    assert unique == [[str(number), MESSAGES[number - 1].uidl] for number, _ in scan]


@pytest.mark.req("P-060")
@pytest.mark.parametrize("number", ["4", "4294967297", "18446744073709551617", "99999999999999999999", "2"])
@pytest.mark.parametrize("form", NUMBERED)
def test_a_number_beyond_the_last_or_marked_names_no_message(form: str, number: str) -> None:
    talk = signed_in()
    talk.say("DELE 2")
    assert talk.say(form.format(number)) == GONE


@pytest.mark.req("P-060")
@pytest.mark.parametrize("form", NUMBERED)
def test_zero_names_no_message(form: str) -> None:
    assert signed_in().say(form.format(0)).startswith("-ERR ")


@pytest.mark.req("P-050")
def test_numbers_never_change_in_a_session() -> None:
    talk = signed_in()
    third = talk.send(b"RETR 3\r\n")
    talk.say("DELE 2")
    assert talk.send(b"RETR 3\r\n") == third
    assert talk.say("LIST 3") == "+OK 3 18\r\n"
    assert talk.say("UIDL 3") == "+OK 3 0abe\r\n"
    assert talk.say("DELE 3").startswith("+OK")
    assert talk.say("LIST") == "+OK 1 messages\r\n1 67\r\n.\r\n"


@pytest.mark.req("P-067")
@pytest.mark.req("P-068")
@pytest.mark.req("P-070")
def test_dele_marks_once_and_rset_takes_every_mark_back() -> None:
    talk = signed_in()
    assert talk.say("DELE 1").startswith("+OK")
    assert talk.say("DELE 1") == GONE
    assert talk.say("RSET").startswith("+OK")
    assert talk.say("STAT") == "+OK 3 106\r\n"
    assert talk.say("DELE 1").startswith("+OK")
    assert talk.maildrop.removed == []


@pytest.mark.req("P-069")
def test_noop_is_answered_at_once_in_one_write() -> None:
    talk = signed_in()
    writes = len(talk.peer.writes)
    assert talk.say("NOOP") == "+OK\r\n"
    assert len(talk.peer.writes) == writes + 1


@pytest.mark.req("P-073")
def test_last_is_refused() -> None:
    assert signed_in().say("LAST").startswith("-ERR ")


# --- RETR -----------------------------------------------------------------------------------------------------------


@pytest.mark.req("P-013")
@pytest.mark.req("P-014")
@pytest.mark.req("P-055")
@pytest.mark.req("P-061")
@pytest.mark.parametrize(
    "original",
    [
        b"Subject: a\r\n\r\nbody\r\n",
        b".\r\n",
        b".first octet\r\n\r\n.\r\n..\r\n...x\r\n",
        b"Subject: only dots\r\n\r\n" + b".\r\n" * 50,
        b"Subject: empty\r\n\r\n",
        b"no header end\r\n",
        b"\r\n",
        b"Subject: long\r\n\r\n" + b"x" * 100000 + b"\r\n",
        b"Subject: edge\r\n\r\n" + b"y" * (65536 - 20) + b"\r\n.edge\r\n" * 9,
        bytes(range(32, 256)) + b"\r\n",
    ],
)
def test_what_a_client_ends_with_is_the_message_and_as_long_as_announced(original: bytes) -> None:
    stored = StoredMessage(re.sub(rb"(?m)^\.", b"..", original), "u1")
    talk = signed_in(stored)
    size = int(talk.say("LIST 1").split()[2])
    reply = talk.send(b"RETR 1\r\n")
    assert reply.startswith(b"+OK %d octets\r\n" % size)
    assert unstuffed(reply) == original
    assert len(original) == size


@pytest.mark.req("P-061")
def test_the_delivery_headers_come_before_the_body() -> None:
    talk = signed_in()
    assert unstuffed(talk.send(b"RETR 1\r\n")).startswith(b"Return-Path: <b@example.org>\r\nSubject: dots\r\n")


@pytest.mark.req("P-071")
def test_fetching_everything_removes_nothing() -> None:
    talk = signed_in()
    for number in (1, 2, 3):
        talk.say(f"RETR {number}")
    assert talk.say("STAT") == "+OK 3 106\r\n"
    assert talk.say("QUIT").startswith("+OK")
    assert talk.maildrop.removed == []


@pytest.mark.req("P-062")
@pytest.mark.parametrize("line", ["RETR 1", "TOP 1 0"])
@pytest.mark.parametrize(("error", "start"), [(Unavailable, "-ERR [SYS/TEMP] "), (BodyLost, "-ERR [SYS/PERM] ")])
def test_a_message_that_cannot_be_opened_is_refused_before_ok(error: type[MailError], start: str, line: str) -> None:
    broken = StoredMessage(b"x\r\n", "u1", error=error("/var/bodies/17 is away"))
    talk = signed_in(broken, *MESSAGES)
    reply = talk.say(line)
    assert reply.startswith(start)
    assert "bodies" not in reply
    assert talk.say("RETR 3").startswith("+OK 21 octets")
    (trouble,) = talk.journal.troubles
    assert trouble == (broken.error, "opening message 1 of anna@example.org")


@pytest.mark.req("P-062")
def test_a_body_that_cannot_be_read_for_top_is_refused_before_ok_and_closed() -> None:
    talk = signed_in(
        StoredMessage(b"Subject: a\r\n\r\n" + b"x\r\n" * 50000, "u1", error=BodyLost("short"), fails_at=65536)
    )
    assert talk.say("TOP 1 30000").startswith("-ERR [SYS/PERM] ")
    assert [body.closed for body in talk.maildrop.opened] == [1]
    assert talk.say("NOOP") == "+OK\r\n"


@pytest.mark.req("P-063")
def test_a_body_that_fails_under_way_is_never_completed() -> None:
    talk = signed_in(StoredMessage(b"x" * 200000 + b"\r\n", "u1", error=Unavailable("gone"), fails_at=65536))
    reply = talk.send(b"RETR 1\r\nNOOP\r\n")
    assert talk.peer.was_cut
    assert not reply.endswith(b".\r\n")
    assert b"+OK\r\n" not in reply


@pytest.mark.req("P-118")
def test_a_list_that_cannot_be_loaded_is_asked_for_again() -> None:
    talk = signed_in()
    talk.maildrop.listing_error = Unavailable("the database is away")
    for line in ("LIST", "UIDL", "RETR 1", "DELE 1"):
        assert talk.say(line).startswith("-ERR [SYS/TEMP] ")
    talk.maildrop.listing_error = None
    assert talk.say("DELE 1").startswith("+OK")
    assert talk.say("STAT") == "+OK 2 39\r\n"
    assert len(talk.journal.troubles) == 4


def test_every_body_that_was_opened_is_closed_once() -> None:
    talk = signed_in()
    for line in ("RETR 1", "TOP 1 0", "TOP 2 999", "RETR 3"):
        talk.say(line)
    assert [body.closed for body in talk.maildrop.opened] == [1, 1, 1, 1]


# --- TOP ------------------------------------------------------------------------------------------------------------


@pytest.mark.req("P-074")
@pytest.mark.req("P-075")
@pytest.mark.parametrize(("lines", "body"), [(0, b""), (1, b".\r\n"), (2, b".\r\n..\r\n"), (3, b".\r\n..\r\n...x\r\n")])
def test_top_is_the_header_the_blank_line_and_so_many_lines(lines: int, body: bytes) -> None:
    header = b"Return-Path: <b@example.org>\r\nSubject: dots\r\n\r\n"
    assert unstuffed(signed_in().send(b"TOP 1 %d\r\n" % lines)) == header + body


@pytest.mark.req("P-076")
@pytest.mark.parametrize("lines", [4, 5, 99999999, 2147483647, 4294967295, 99999999999, 10**19])
def test_top_of_more_lines_than_there_are_is_the_whole_message(lines: int) -> None:
    talk = signed_in()
    assert unstuffed(talk.send(b"TOP 1 %d\r\n" % lines)) == unstuffed(talk.send(b"RETR 1\r\n"))


@pytest.mark.req("P-077")
@pytest.mark.parametrize("lines", [0, 1, 50])
def test_top_of_a_message_without_a_blank_line_is_the_whole_message(lines: int) -> None:
    talk = signed_in()
    assert unstuffed(talk.send(b"TOP 3 %d\r\n" % lines)) == unstuffed(talk.send(b"RETR 3\r\n"))


@pytest.mark.req("P-072")
def test_top_and_retr_are_counted_apart() -> None:
    talk = signed_in()
    for line in ("TOP 1 99999999", "TOP 2 0", "RETR 1", "RETR 9"):
        talk.say(line)
    record = talk.end()
    assert (record.top, record.retr) == (2, 1)


# --- UTF8 -----------------------------------------------------------------------------------------------------------


@pytest.mark.req("P-167")
@pytest.mark.req("P-168")
def test_utf8_is_accepted_before_and_after_sign_in_and_changes_nothing() -> None:
    talk = Conversation(*MESSAGES)
    assert talk.say("UTF8").startswith("+OK")
    talk.sign_in()
    before = talk.say("LIST"), talk.say("RETR 1")
    assert talk.say("UTF8").startswith("+OK")
    assert (talk.say("LIST"), talk.say("RETR 1")) == before


@pytest.mark.req("P-170")
def test_with_utf8_the_announced_size_is_what_is_sent() -> None:
    talk = signed_in(StoredMessage("Subject: Grüße\r\n\r\nÄ\r\n".encode(), "u1"))
    talk.say("UTF8")
    size = int(talk.say("LIST 1").split()[2])
    assert len(unstuffed(talk.send(b"RETR 1\r\n"))) == size == 24


LONG = StoredMessage(body=b"Subject: long\r\n\r\n" + b"a line of text\r\n" * 200_000, uidl="long")


@pytest.mark.req("P-078")
def test_a_long_top_leaves_turns_to_others_and_its_own_next_line_waits() -> None:
    talk = signed_in(LONG)
    assert talk.send(b"TOP 1 150000\r\nNOOP\r\n") == b""
    before, turns = len(talk.peer.sent), 0
    while talk.peer.turns:
        talk.peer.turns.pop()()
        turns += 1
    assert turns == 2  # of a megabyte each, behind the first
    head, _, rest = bytes(talk.peer.sent[before:]).partition(b"\r\n")
    assert head.startswith(b"+OK")
    assert rest == b"Subject: long\r\n\r\n" + b"a line of text\r\n" * 150_000 + b".\r\n+OK\r\n"
    assert talk.maildrop.opened[0].closed == 1


@pytest.mark.req("P-078")
def test_a_client_that_leaves_during_a_long_top_leaves_no_body_open() -> None:
    talk = signed_in(LONG)
    talk.send(b"TOP 1 150000\r\n")
    talk.end()
    reads = len(talk.maildrop.opened[0].reads)
    talk.peer.turns.pop()()
    assert talk.peer.turns == []
    assert talk.maildrop.opened[0].closed == 1
    assert len(talk.maildrop.opened[0].reads) == reads


@pytest.mark.req("P-062")
def test_a_body_that_fails_later_in_a_long_top_is_refused_before_any_octet() -> None:
    talk = signed_in(StoredMessage(body=LONG.body, uidl="1", error=BodyLost("short"), fails_at=2_000_000))
    assert talk.send(b"TOP 1 150000\r\n") == b""
    before = len(talk.peer.sent)
    talk.peer.turns.pop()()
    assert bytes(talk.peer.sent[before:]).startswith(b"-ERR [SYS/PERM] ")
    assert talk.maildrop.opened[0].closed == 1
