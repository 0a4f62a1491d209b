"""Formats of Dovecot's UIDLs: those that are in use, in the spellings of 2.3 and 2.4, and what cannot be computed."""

from __future__ import annotations

import pytest

from mailstore.transfer.sources import uidl_format
from mailstore.transfer.sources.uidl_format import BadFormat, Shown

MESSAGE = Shown(uid=25006, uidvalidity=1275660208, filename="1300000001.m.host,S=17", guid="3085f01b7f11094c")


@pytest.mark.parametrize(
    ("text", "uidl"),
    [
        ("%08Xu%08Xv", "000061ae4c0907b0"),
        ("%f", "1300000001.m.host,S=17"),
        ("%g", "3085f01b7f11094c"),
        ("%v-%u", "1275660208-25006"),
        ("%v.%u", "1275660208.25006"),
        ("UID%u-%v", "UID25006-1275660208"),
        ("%u", "25006"),
        ("%08Xv%08Xu", "4c0907b0000061ae"),
        ("%Xu", "61ae"),
        ("%UXu", "61ae"),
        ("%XUu", "61AE"),
        ("%Ug", "3085F01B7F11094C"),
        ("%010u", "0000025006"),
        ("%2u", "25"),
        ("100%%-%u", "100%-25006"),
        ("%{uid}", "25006"),
        ("%{uid | hex(8)}%{uidvalidity | hex(8)}", "000061ae4c0907b0"),
        ("%{uid|hex(8)|upper}", "000061AE"),
        ("%{uidvalidity | hex}.%{filename | lower}", "4c0907b0.1300000001.m.host,s=17"),
        ("%{guid}", "3085f01b7f11094c"),
    ],
)
def test_a_format_gives_the_uidl_that_dovecot_shows(text: str, uidl: str) -> None:
    assert uidl_format.parse(text).uidl(MESSAGE) == uidl


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("%m", "%m"),
        ("%08Hu-%v", "%08Hu"),
        ("%Xf", "%Xf"),
        ("%u%", "%"),
        ("%{uid | md5 | hexlify}", "%{uid | md5 | hexlify}"),
        ("%{guid | hex(8)}", "%{guid | hex(8)}"),
        ("%{user}", "%{user}"),
        ("%08X{uid}", "%08X{uid}"),
        ("%v", "%v"),
        ("same", "same"),
        ("", ""),
    ],
)
def test_what_cannot_be_computed_or_is_the_same_for_all_is_refused_by_name(text: str, part: str) -> None:
    with pytest.raises(BadFormat) as refusal:
        uidl_format.parse(text)
    assert str(refusal.value) == part


def test_a_message_of_which_too_little_is_known_has_no_uidl() -> None:
    assert uidl_format.parse("%u-%f").uidl(Shown(filename="1.a")) is None
    assert uidl_format.parse("%f").uidl(Shown(filename="1.a")) == "1.a"


def test_only_file_names_and_guids_need_a_maildir() -> None:
    needs = {text: uidl_format.parse(text).of_names for text in ("%f", "%g", "%{guid}", "%v-%u", "%{uid | hex(8)}")}
    assert needs == {"%f": True, "%g": True, "%{guid}": True, "%v-%u": False, "%{uid | hex(8)}": False}
