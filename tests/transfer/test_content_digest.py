"""The digest of a message is the same wherever it was kept, and of two messages it is another one."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstore.transfer.content_digest import ContentDigest

LETTER = b"Received: by a\nMessage-ID: <1@x>\nSubject: long\n words\nDate: 1 Jul\nFrom: a\nTo: b\n\n>From a\n\ntext\n"


def digest(*pieces: bytes) -> bytes:
    of = ContentDigest()
    for piece in pieces:
        of.add(piece)
    return of.value()


@pytest.mark.parametrize(
    "kept",
    [
        LETTER.replace(b"\n", b"\r\n"),
        b"Status: RO\nX-UID: 7\n" + LETTER,
        LETTER.replace(b">From", b">>From") + b"\n\n",
        LETTER.replace(b"by a", b"by b"),
        LETTER.replace(b"Message-ID: <1@x>", b"message-id:<1@x>"),
    ],
    ids=["other line ends", "fields of an mbox", "quoted once more", "another way", "other blanks"],
)
def test_what_servers_and_programs_add_makes_no_other_message(kept: bytes) -> None:
    assert digest(kept) == digest(LETTER)


@pytest.mark.parametrize(
    ("part", "other"),
    [(b"<1@x>", b"<2@x>"), (b"words", b"word"), (b"1 Jul", b"2 Jul"), (b"text\n", b"text!\n"), (b"From: a\n", b"")],
)
def test_what_the_sender_wrote_makes_the_message(part: bytes, other: bytes) -> None:
    assert digest(LETTER.replace(part, other)) != digest(LETTER)


def test_a_field_is_not_taken_for_text_nor_text_for_a_field() -> None:
    assert digest(b"Subject: a\n\nb") != digest(b"\nsubject:a\nb") != digest(b"Subject: ab\n\n")


@given(st.lists(st.integers(0, len(LETTER) * 2)))
def test_it_does_not_matter_in_which_pieces_a_message_comes(cuts: list[int]) -> None:
    whole = LETTER.replace(b"\n", b"\r\n")
    places = [0, *sorted(cuts), len(whole)]
    assert digest(*(whole[start:end] for start, end in pairwise(places))) == digest(whole)


@given(st.binary(max_size=200), st.integers(0, 200))
def test_any_octets_have_a_digest(data: bytes, cut: int) -> None:
    assert digest(data[:cut], data[cut:]) == digest(data)
