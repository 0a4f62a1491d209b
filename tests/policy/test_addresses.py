"""One normal form for every spelling of an address, and none for what is no address."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailstore.policy import addresses
from mailstore.policy.addresses import (
    BadAddress,
    Flaw,
    catch_all_of,
    lookup_keys,
    normal_address,
    normal_domain,
    normal_login,
)


@pytest.mark.req("P-040")
@pytest.mark.parametrize(
    "spelling",
    ["ann@bücher.example", "ANN@BÜCHER.EXAMPLE", "Ann@xn--bcher-kva.example", "ann@bu\u0308cher.example"],
)
def test_every_spelling_of_an_address_is_one_address(spelling: str) -> None:
    assert normal_address(spelling) == "ann@xn--bcher-kva.example"


@pytest.mark.parametrize(
    "address",
    [
        "ann@example.org",
        "a.b-c_d+e@example.co.uk",
        "!#$%&'*+/=?^`{|}~@example.org",
        "jürgen@example.org",
        "x" * 64 + "@example.org",
        "ann@" + "a" * 63 + ".example",
        "ann@1.2.3.4.example",
    ],
)
def test_an_address_in_normal_form_stays_as_it_is(address: str) -> None:
    assert normal_address(address) == address


@pytest.mark.parametrize("blank", [" ", "   ", "\u00a0", "\u2003", "\u3000", "\u200b", "\ufeff", " \u00a0 "])
def test_blanks_around_a_name_are_dropped_wherever_it_is_typed(blank: str) -> None:
    for name in (f"{blank}Ann@Example.org", f"Ann@Example.org{blank}", f"{blank}ann@example.org{blank}"):
        assert normal_address(name) == normal_login(name) == "ann@example.org"
    assert normal_domain(f"{blank}Example.org{blank}") == "example.org"
    assert normal_login(f"{blank}Root{blank}") == "root"


@pytest.mark.req("P-039")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "ann",
        "ann@",
        "@example.org",
        "a@b@example.org",
        "an n@example.org",
        "ann@ example.org",
        "ann @example.org",
        "ann@example",
        "ann@example.org.",
        "ann@.example.org",
        "ann@-example.org",
        "ann@example-.org",
        "ann@192.0.2.1",
        "ann@[192.0.2.1]",
        "..@example.org",
        '"ann b"@example.org',
        '"ann@example.org',
        '""@example.org',
        "ann\0@example.org",
        "ann\n@example.org",
        "ann@exam\nple.org",
        "ann@example.org\n",
        "../../etc/passwd",
        "%{user}@example.org\x1b",
        "*",
        "@" * 240,
        "x" * 65 + "@example.org",
        "é" * 33 + "@example.org",
        "ann@" + "a" * 64 + ".example",
        "ann@" + ".".join(["a" * 60] * 5),
        "ann@" + "é" * 70 + ".example",
        "ann@a..example",
        "ann@\ud800.example",
        "ann@☃.example",
        "ann@xn--zzzzzz99.example",
        "ann@xn--abc-.example",
        "ann@xn--.example",
    ],
)
def test_what_is_no_address_is_refused_with_a_text(text: str) -> None:
    with pytest.raises(BadAddress, match=r"."):
        normal_address(text)


@pytest.mark.parametrize(
    ("spelling", "stored"),
    [
        ('"ann"@example.org', "ann@example.org"),
        (r'"a\nn"@example.org', "ann@example.org"),
        ('"Ann.Smith"@example.org', "ann.smith@example.org"),
        ('"x..y"@example.org', "x..y@example.org"),
        ("x.@example.org", "x.@example.org"),
        (".x@example.org", ".x@example.org"),
    ],
)
def test_quotes_that_are_not_needed_are_dropped_and_dots_may_stand_anywhere(spelling: str, stored: str) -> None:
    assert normal_address(spelling) == stored


@pytest.mark.parametrize(
    ("spelling", "catch_all"),
    [
        ('"a b"@Example.org', "@example.org"),
        ("x" * 65 + "@example.org", "@example.org"),
        ("a b@bücher.example", "@xn--bcher-kva.example"),
        ("no-at", None),
        ("ann@nodots", None),
        ("\udcff@example.org", "@example.org"),
    ],
)
def test_what_nobody_can_be_called_is_for_the_catch_all_of_its_domain(spelling: str, catch_all: str | None) -> None:
    assert catch_all_of(spelling) == catch_all


@pytest.mark.parametrize(
    ("spelling", "flaw"),
    [
        ('"ann b"@example.org', Flaw.QUOTED),
        ('"a@b"@example.org', Flaw.QUOTED),
        ('ann"b@example.org', Flaw.BAD_LOCAL_PART),
        ('"ann', Flaw.NO_AT),
        ("ann@nodots", Flaw.BAD_DOMAIN),
        ("ann@xn--.example", Flaw.BAD_DOMAIN),
        (f"{'x' * 60}@{'y.' * 100}org", Flaw.LONG_ADDRESS),
    ],
)
def test_it_is_told_what_is_wrong_and_a_login_is_told_the_same(spelling: str, flaw: Flaw) -> None:
    with pytest.raises(BadAddress) as refused:
        normal_address(spelling)
    assert refused.value.flaw == flaw
    assert len(str(refused.value).splitlines()) == 1
    if "@" in spelling:
        with pytest.raises(BadAddress, match=flaw.value):
            normal_login(spelling)


@pytest.mark.parametrize(
    ("spelling", "stored"),
    [
        ("straße.example", "xn--strae-oqa.example"),
        ("STRAẞE.example", "xn--strae-oqa.example"),
        ("xn--strae-oqa.example", "xn--strae-oqa.example"),
        ("βόλος.example", "xn--nxasmm1c.example"),
        ("ab--cd.example", "ab--cd.example"),
    ],
)
def test_mail_for_a_domain_never_goes_to_a_neighbour_that_looks_alike(spelling: str, stored: str) -> None:
    """IDNA 2003 made strasse of straße: two names, two registrants."""
    assert normal_domain(spelling) == stored


@pytest.mark.parametrize("shape", ["a@{}.org", "{}@example.org", "{}", "a@{0}@{0}.org"])
def test_a_long_text_of_a_stranger_is_refused_before_any_table_of_unicode_is_asked(shape: str) -> None:
    class Untouched(str):
        """A text whose parts nobody has looked at."""

        __slots__ = ()

        def _touched(self, *_: object) -> str:
            raise AssertionError("work was done for a text that is too long")

        rpartition = split = lower = __contains__ = _touched

    for ask in (normal_address, normal_domain, normal_login):
        with pytest.raises(BadAddress, match="longer than 320 octets"):
            ask(Untouched(shape.format("\ufdfa" * 3000)))


def test_a_text_is_measured_in_octets_and_never_told_back_when_it_is_too_long() -> None:
    text = "é" * (addresses.TYPED_OCTETS // 2) + "@"
    with pytest.raises(BadAddress) as refused:
        normal_address(text)
    assert "é" not in str(refused.value)


def test_a_login_is_one_in_any_case_and_an_address_in_any_spelling() -> None:
    assert normal_login("Root") == "root"
    assert normal_login("Ann@BÜCHER.example") == "ann@xn--bcher-kva.example"
    for text in ("ro\0ot", "@", "x" * 321):
        with pytest.raises(BadAddress):
            normal_login(text)


@given(st.text(max_size=80) | st.emails())
@example("K@example.org")  # the Kelvin sign is a K to Unicode
@example("ϓ@example.org")
def test_the_normal_form_of_a_normal_form_is_itself_and_any_text_is_answered(text: str) -> None:
    try:
        normal = normal_address(text)
    except BadAddress:
        return
    assert normal_address(normal) == normal
    assert normal == normal.lower()
    assert len(normal.encode()) <= 254
    assert not any(character.isspace() or character == "\0" for character in normal)


@given(st.text(alphabet="abcé.-ＡＢ１", min_size=1, max_size=30))
def test_the_normal_form_of_a_domain_is_stable_and_ascii(text: str) -> None:
    try:
        normal = normal_domain(text)
    except BadAddress:
        return
    assert normal.isascii()
    assert normal_domain(normal) == normal
    assert normal_domain(normal.upper()) == normal


def test_a_detail_is_looked_up_whole_first_and_then_without() -> None:
    assert lookup_keys("ann+news@example.org") == ["ann+news@example.org", "ann@example.org"]
    assert lookup_keys("ann+a+b@example.org") == ["ann+a+b@example.org", "ann@example.org"]
    assert lookup_keys("ann@example.org") == ["ann@example.org"]
    assert lookup_keys("+news@example.org") == ["+news@example.org"]
