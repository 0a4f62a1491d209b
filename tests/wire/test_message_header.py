"""Subject and sender from the octets of a header, whatever was written there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstore.wire.message_header import SUMMARY_CHARACTERS, MessageSummary, summary


@pytest.mark.parametrize(
    ("header", "subject"),
    [
        (b"Subject: hello\r\n", "hello"),
        (b"SUBJECT:hello\r\n", "hello"),
        (b"Subject : hello\r\n", "hello"),
        (b"Subject: one\r\n two\r\n\tthree\r\nTo: x\r\n", "one two three"),
        (b"X-Subject: no\r\nSubject: yes\r\nSubject: second\r\n", "yes"),
        (b"Subject: =?utf-8?q?caf=C3=A9?= =?utf-8?q?_cr=C3=A8me?=\r\n", "café crème"),
        (b"Subject: =?UTF-8?B?w6k=?= and more\r\n", "é and more"),
        (b"Subject: =?iso-8859-1*fr?Q?=E9t=E9?=\r\n", "été"),
        (b"Subject: =?no-such-charset?Q?caf=C3=A9?=\r\n", "café"),
        (b"Subject: =?hex?Q?abc?=\r\n", "abc"),
        (b"Subject: =?utf-8?B?broken!?=\r\n", "=?utf-8?B?broken!?="),
        ("Subject: été\r\n".encode(), "été"),
        ("Subject: été\r\n".encode("latin-1"), "été"),
        (b"Subject: \xe2\x80\xaeevil\x00\x1b[31m\r\n", "evil [31m"),
        (b"Subject:\r\n", ""),
        (b"To: x\r\n", ""),
        (b"", ""),
    ],
)
def test_the_subject_as_people_read_it(header: bytes, subject: str) -> None:
    assert summary(header + b"\r\nSubject: of the body\r\n").subject == subject


@pytest.mark.parametrize(
    ("field", "sender"),
    [
        (b"bob@example.com", "bob@example.com"),
        (b"Bob <bob@example.com>", "Bob <bob@example.com>"),
        (b'"Bob, the first" <bob@example.com>', "Bob, the first <bob@example.com>"),
        (b"=?utf-8?q?Ren=C3=A9?= <rene@example.com>", "René <rene@example.com>"),
        (b"=?utf-8?q?boss=40example=2Ecom?= <thief@example.net>", "boss@example.com <thief@example.net>"),
        (b"no address at all", "no address at all"),
        (b"", ""),
    ],
)
def test_the_sender_by_name_and_address(field: bytes, sender: str) -> None:
    assert summary(b"From: " + field + b"\r\n\r\n").sender == sender


def test_a_body_without_a_header_has_neither() -> None:
    assert summary(b"\r\nSubject: no\r\n") == MessageSummary("", "")


def test_a_header_without_an_end_is_read_all_the_same() -> None:
    assert summary(b"Subject: yes").subject == "yes"


def test_a_summary_has_an_end() -> None:
    found = summary(b"Subject: " + b"x" * 10_000 + b"\r\nFrom: " + b"y" * 10_000 + b"\r\n\r\n")
    assert (len(found.subject), len(found.sender)) == (SUMMARY_CHARACTERS, SUMMARY_CHARACTERS)


_PIECES = st.sampled_from(
    [b"Subject:", b"From:", b"\r\n", b"\n", b"\r", b" ", b"=?utf-8?q?", b"=?utf-7?B?", b"?=", b"\xff", b"\xed\xa0\x80",
     b"<", b">", b'"', b"(", b")", b",", b"@", b"\\", b"\\u12", b"=?idna?q?xn--?=", b"=?utf-16?B?2AA=?=", b"\x00"]
)  # fmt: skip


@given(st.one_of(st.binary(max_size=300), st.lists(_PIECES, max_size=40).map(b"".join)))
def test_whatever_is_there_it_never_raises_and_what_it_gives_can_be_stored(data: bytes) -> None:
    for head in (b"", b"Subject: ", b"From: "):
        found = summary(head + data)
        for text in (found.subject, found.sender):
            assert text.encode().decode() == text
            assert text.isprintable() or " " in text or not text.isascii()
            assert not set(text) & {"\0", "\r", "\n"}
            assert len(text) <= SUMMARY_CHARACTERS
