"""The texts: one for every error, codes where the RFCs want them and nowhere else, figures as they want them."""

from __future__ import annotations

import re
from array import array

import pytest

from mailstore import errors
from mailstore.pop3 import replies
from mailstore.pop3.commands import Fault
from mailstore.pop3.protocol import State
from mailstore.ports import Listing
from mailstore.wire.sasl_exchange import Failure

CODES = re.compile(rb"\[(AUTH|LOGIN-DELAY|SYS/TEMP|SYS/PERM)\] ")
CREDENTIAL_ERRORS = {errors.BadCredentials, errors.PopSwitchedOff, errors.MainPasswordBarred}


def leaves(root: type) -> set[type]:
    below = [error for error in root.__subclasses__() if error.__module__ == errors.__name__]
    return set().union(*map(leaves, below)) if below else {root}


def texts() -> list[bytes]:
    fixed = [value for name, value in vars(replies).items() if name.isupper() and isinstance(value, bytes)]
    tables = [replies.FAULTS, replies.WRONG_STATE, replies.SASL_FAILURES, replies.ERRORS]
    return [text for text in fixed if text != replies.END] + [text for table in tables for text in table.values()]


def listing(*octets: int) -> Listing:
    keys = array("q", range(len(octets)))
    return Listing(keys, keys, array("q", octets), [f"id{number}" for number in range(1, len(octets) + 1)])


@pytest.mark.req("P-118")
def test_every_error_of_the_ports_has_a_reply() -> None:
    assert set(replies.ERRORS) == leaves(errors.MailError)
    assert set(replies.FAULTS) == set(Fault)
    assert set(replies.WRONG_STATE) == set(State)
    assert set(replies.SASL_FAILURES) == set(Failure)


@pytest.mark.req("P-003")
@pytest.mark.req("P-004")
@pytest.mark.req("P-008")
@pytest.mark.req("P-109")
@pytest.mark.req("P-116")
@pytest.mark.parametrize("text", texts())
def test_a_reply_is_one_short_line_whose_brackets_are_a_registered_code(text: bytes) -> None:
    assert re.fullmatch(rb"(\+OK|-ERR)( [\x20-\x7e]+)?\r\n", text)
    assert len(text) <= 80
    status, _, rest = text.partition(b" ")
    assert not rest.startswith(b"[") or (status == b"-ERR" and CODES.match(rest))


@pytest.mark.req("P-110")
def test_auth_is_said_for_credentials_and_for_nothing_else() -> None:
    said = {error for error, text in replies.ERRORS.items() if b"[AUTH]" in text}
    assert said == CREDENTIAL_ERRORS
    assert not [text for text in texts() if b"[AUTH]" in text and text not in map(replies.ERRORS.get, said)]


@pytest.mark.req("P-118")
@pytest.mark.req("P-119")
@pytest.mark.parametrize("error", sorted(replies.ERRORS, key=lambda error: error.__name__))
def test_our_own_faults_are_temporary_or_permanent_as_the_error_says(error: type[errors.MailError]) -> None:
    text = replies.error(error("the cause, for the log"))
    assert b"cause" not in text
    if error not in CREDENTIAL_ERRORS | {errors.Throttled}:
        assert text.startswith(b"-ERR [SYS/PERM] " if issubclass(error, errors.Refused) else b"-ERR [SYS/TEMP] ")


@pytest.mark.req("P-118")
def test_an_error_nobody_wrote_a_text_for_is_temporary() -> None:
    class Unheard(errors.MailError):
        pass

    assert replies.error(Unheard("x")).startswith(b"-ERR [SYS/TEMP] ")


@pytest.mark.req("P-122")
def test_fetchmail_reads_a_throttle_as_busy_and_a_wrong_password_as_one() -> None:
    busy = re.compile(rb"lock|wait|\[IN-USE\]|\[LOGIN-DELAY\]|service unavailable", re.IGNORECASE)
    assert b"wait" in replies.ERRORS[errors.Throttled]
    assert {error for error, text in replies.ERRORS.items() if busy.search(text)} >= {
        errors.Throttled,
        errors.Unavailable,
    }
    assert not any(busy.search(replies.ERRORS[error]) for error in CREDENTIAL_ERRORS)


@pytest.mark.req("P-002")
def test_the_greeting_does_not_look_like_apop() -> None:
    assert b"<" not in replies.GREETING


@pytest.mark.req("P-012")
@pytest.mark.req("P-015")
def test_lists_have_one_blank_between_fields_and_end_in_a_dot() -> None:
    assert replies.scan_listing(listing(120, 200), set()) == b"+OK 2 messages\r\n1 120\r\n2 200\r\n.\r\n"
    assert replies.unique_id_listing(listing(1, 2), set()) == b"+OK 2 messages\r\n1 id1\r\n2 id2\r\n.\r\n"
    assert replies.scan_listing(listing(), set()) == b"+OK 0 messages\r\n.\r\n"


@pytest.mark.req("P-050")
def test_marked_messages_leave_lists_and_the_others_keep_their_numbers() -> None:
    assert replies.scan_listing(listing(1, 2, 3), {2}) == b"+OK 2 messages\r\n1 1\r\n3 3\r\n.\r\n"
    assert replies.unique_id_listing(listing(1, 2, 3), {1}) == b"+OK 2 messages\r\n2 id2\r\n3 id3\r\n.\r\n"


def test_a_list_without_marks_is_rendered_once_and_never_mixed_up_with_another() -> None:
    shared = listing(5)
    assert replies.scan_listing(shared, set()) is replies.scan_listing(shared, set())
    replies.unique_id_listing(shared, set())
    replies.scan_listing(shared, {1})
    assert replies.scan_listing(shared, set()) == b"+OK 1 messages\r\n1 5\r\n.\r\n"


@pytest.mark.req("P-054")
def test_sizes_above_32_bits_are_plain_decimal() -> None:
    large = 5 * 2**30
    assert replies.stat(3, 3 * large) == b"+OK 3 16106127360\r\n"
    assert replies.scan_line(listing(large), 1) == b"+OK 1 5368709120\r\n"


def test_the_digest_tells_lists_of_uidls_apart() -> None:
    assert replies.unique_id_digest(listing(1, 2)) == replies.unique_id_digest(listing(3, 4))
    assert replies.unique_id_digest(listing(1, 2)) != replies.unique_id_digest(listing(1))


@pytest.mark.req("P-112")
@pytest.mark.parametrize(
    ("days", "differs", "line"),
    [
        (None, False, "EXPIRE NEVER"),
        (None, True, "EXPIRE NEVER"),
        (30, False, "EXPIRE 30"),
        (30, True, "EXPIRE 30 USER"),
    ],
)
def test_expire_tells_the_days_and_whether_mailboxes_differ(days: int | None, differs: bool, line: str) -> None:
    assert replies.expire(days, differs=differs) == line


@pytest.mark.req("P-101")
@pytest.mark.req("P-113")
@pytest.mark.req("P-115")
def test_capabilities_are_upper_case_tags_on_lines_of_their_own() -> None:
    sent = replies.capabilities(["USER", "SASL PLAIN LOGIN"], stls=True, expires="EXPIRE NEVER")
    first, *tags, end, nothing = sent.split(b"\r\n")
    assert (first[:3], end, nothing) == (b"+OK", b".", b"")
    assert all(re.fullmatch(rb"[A-Z0-9-]+( [\x21-\x7e]+)*", tag) and b"." not in tag for tag in tags)
    assert b"IMPLEMENTATION popadmin" in tags
    assert len(tags) < 50
