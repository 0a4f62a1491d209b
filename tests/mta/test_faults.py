"""The classic faults of a mail server, each planted: the check of its kind names it, and what to do."""

from __future__ import annotations

import datetime
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from mailstore.mta import check_text, postfix_view
from mailstore.mta.checks import certificate, configuration, lmtp, lookups, policy, queue, sasl, table
from mailstore.mta.checks.result import Finding, Result, State
from mailstore.mta.checks.subject import FOUND, NOT_FOUND, MtaView, Probe, Queue, Subject, Waiting
from mailstore.mta.postfix_facts import PostfixFacts
from mailstore.mta.program import Outcome
from mailstore.mta.socket_address import SocketAddress, parse
from tests.bodies.second_user import AS_ROOT
from tests.listeners import Authority
from tests.mta.site import MAIN, a_directory, a_server

NOW = datetime.datetime(2026, 5, 4, 12, tzinfo=datetime.UTC)
CLOSED = parse("127.0.0.1:1")  # tcpmux: nobody listens
SOUND = {
    "mydestination": "mail.example.org, localhost",
    "virtual_alias_domains": "",
    "relay_domains": "",
    "recipient_delimiter": "+",
    "inet_interfaces": "all",
    "inet_protocols": "all",
}


def a_subject(authority: Authority, *, view: dict[str, object] | None = None, **parameters: str) -> Subject:
    facts = PostfixFacts(Path("/etc/postfix"), SOUND | parameters)
    mta = MtaView(
        hostname="mail.example.org",
        smtp=CLOSED,
        submission=CLOSED,
        submissions=None,
        queue=Queue,
        test=lambda: Outcome(0, ""),
        size_limit_octets=48_500_000,
        is_rewriting=False,
        lookup=lambda _table, _key: None,
        postfix=facts,
    )
    server = a_server(authority, lmtp=CLOSED, sasl=CLOSED, policy=CLOSED)
    probe = Probe("popadmin-check-1@example.org", "secret", "popadmin-check-1-full@example.org")
    listens = (parse("127.0.0.1:1024"),)
    return Subject(
        server, replace(mta, **(view or {})), probe, listens, None, alias_elsewhere="away@example.org", now=NOW
    )


def told(finding: Finding) -> str:
    result = finding.of("any")
    return f"{check_text.fault(result)} {check_text.remedy(result)}"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mail.example.org", ""),
        ("Mail.Example.org", ""),
        ("box", "box, which is no full host name"),
        ("box.localdomain", "no full host name"),
        ("", "no full host name"),
        ("box.provider.example", "calls itself box.provider.example, and popadmin calls this host mail.example.org"),
    ],
)
def test_an_mta_that_calls_itself_otherwise_is_named(authority: Authority, name: str, words: str) -> None:
    found = configuration.own_name(a_subject(authority, view={"hostname": name}))
    assert bool(found.fault) is bool(words)
    assert words in told(found)


@pytest.mark.parametrize("parameter", ["mydestination", "virtual_alias_domains", "relay_domains"])
def test_a_hosted_domain_that_goes_another_way_is_named(authority: Authority, parameter: str) -> None:
    assert configuration.destinations(a_subject(authority)) == Finding()
    found = configuration.destinations(a_subject(authority, **{parameter: "localhost, Example.ORG"}))
    assert f"example.org stands in {parameter} too" in told(found)


def test_another_delimiter_is_named(authority: Authority) -> None:
    assert not configuration.delimiter(a_subject(authority)).fault
    assert "takes - for the delimiter" in told(configuration.delimiter(a_subject(authority, recipient_delimiter="-")))


@pytest.mark.parametrize("limit", [None, 50_000_001])
def test_a_size_limit_above_ours_is_named(authority: Authority, limit: int | None) -> None:
    assert not configuration.size_limit(a_subject(authority)).fault
    found = configuration.size_limit(a_subject(authority, view={"size_limit_octets": limit}))
    assert "Set message_size_limit to 48500000" in told(found)


def test_an_mta_for_this_machine_alone_is_named(authority: Authority) -> None:
    found = configuration.interfaces(a_subject(authority, inet_interfaces="loopback-only"))
    assert "inet_interfaces = all" in told(found)
    assert "inet_protocols = all" in told(configuration.interfaces(a_subject(authority, inet_protocols="")))


@pytest.mark.parametrize(
    ("listens", "public"),
    [("0.0.0.0:1024", True), ("*:24", True), ("203.0.114.5:24", True), ("lmtp.example.org:24", True),
     ("127.0.0.1:24", False), ("10.0.0.5:24", False), ("[::1]:24", False), ("unix:/run/popadmin/lmtp", False)],
)  # fmt: skip
def test_lmtp_on_a_public_address_is_named(authority: Authority, listens: str, public: bool) -> None:
    subject = replace(a_subject(authority), lmtp_listens=(parse("127.0.0.1:1024"), parse(listens)))
    found = configuration.lmtp_address(subject)
    assert bool(found.fault) is public
    assert (f"reaches {listens} can put mail" in told(found)) is public


def test_forwards_without_srs_are_named_where_there_are_any(authority: Authority) -> None:
    assert "mta setup again with --srs" in told(configuration.rewriting(a_subject(authority)))
    assert configuration.rewriting(replace(a_subject(authority), alias_elsewhere=None)).is_skipped
    assert configuration.rewriting(a_subject(authority, view={"is_rewriting": True})) == Finding()


def test_a_part_that_does_not_answer_is_named_with_its_address(authority: Authority) -> None:
    subject = a_subject(authority)
    for look in (lmtp.known, lmtp.full, policy.known, sasl.as_postfix, sasl.as_exim, certificate.submission):
        assert "127.0.0.1:1" in told(look(subject))


def test_mail_that_waits_for_an_hour_is_named_unless_its_mailbox_is_full(authority: Authority) -> None:
    def waits(recipient: str, minutes: int, reason: str) -> Waiting:
        return Waiting(recipient, NOW - datetime.timedelta(minutes=minutes), lambda: reason)

    normal = (
        waits("ann@example.org", 50, "451 4.3.0"),
        waits("full@example.org", 500, "host said: 452 4.2.2 mailbox full"),
        waits("x@elsewhere.example", 5000, "connection refused"),
    )
    assert not queue.age(a_subject(authority, view={"queue": lambda: Queue(normal)})).fault
    late = (*normal, waits("ann@Example.org", 70, "451 4.3.0"), waits("bob@example.org", 61, "refused"))
    found = queue.age(a_subject(authority, view={"queue": lambda: Queue(late)}))
    assert "Mail for 2 of our recipients waits, the oldest since 2026-05-04 10:50 UTC" in told(found)
    assert found.said == "ann@Example.org: 451 4.3.0"
    assert "as root" in told(queue.age(a_subject(authority, view={"queue": lambda: Queue(failure="no")})))


def test_a_map_of_aliases_that_knows_none_is_named_where_one_leads_elsewhere(authority: Authority) -> None:
    def lookup(_table: str, key: str) -> Outcome:
        return Outcome(FOUND, "x@elsewhere.example") if key == known else Outcome(NOT_FOUND, "")

    subject = a_subject(authority, view={"lookup": lookup})
    known = "away@example.org"
    assert lookups.aliases(subject) == Finding("away@example.org: x@elsewhere.example")
    known = "nobody@example.org"
    assert lookups.aliases(subject).fault == "not-in-map"
    assert not lookups.aliases(replace(subject, alias_elsewhere=None)).fault, "a mailbox is no alias"


def test_of_a_long_queue_only_the_oldest_are_asked_for_their_reasons(authority: Authority) -> None:
    asked: list[int] = []

    def waits(number: int) -> Waiting:
        return Waiting(
            "ann@example.org", NOW - datetime.timedelta(hours=2 + number), lambda: asked.append(number) or "refused"
        )

    found = queue.age(a_subject(authority, view={"queue": lambda: Queue(tuple(map(waits, range(50))))}))
    assert found.facts["number"] == "50"
    assert asked == [*range(49, 49 - queue.ASKED, -1)]


def test_a_check_that_falls_over_is_told_and_the_others_are_made(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fall_over(_subject: Subject) -> Finding:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(table, "CHECKS", {"queue": fall_over, "delimiter": lambda _subject: Finding("+")})
    fallen, other = table.run(a_subject(authority))
    assert (fallen.name, fallen.said) == ("queue", "ZeroDivisionError: by nothing")
    assert "unexpected end" in check_text.fault(fallen)
    assert other.state is State.GOOD


def test_a_result_that_an_older_version_has_stored_is_shown_without_the_facts_it_lacks() -> None:
    assert "Mail for … of our recipients waits" in check_text.fault(Result("queue", State.BAD, fault="queue-old"))


@pytest.mark.skipif(not AS_ROOT, reason="only root can ask as the user of Postfix")
def test_what_postfix_warns_of_is_no_answer_of_a_map() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "boxes").write_text("ann@example.org ann\n")
        maps = "virtual_mailbox_maps = texthash:$config_directory/../boxes\nvirtual_alias_maps = pgsql:/none\n"
        view = postfix_view.read(a_directory(folder, main=f"{MAIN}biff = yes\n{maps}"))
        known, unknown = (view.lookup("virtual_mailbox_maps", f"{each}@example.org") for each in ("ann", "bob"))
        assert (known.code, known.output, "overriding" in known.errors) == (FOUND, "ann", True)
        assert (unknown.code, unknown.output) == (NOT_FOUND, "")
        assert view.lookup("virtual_alias_maps", "ann@example.org").code not in (FOUND, NOT_FOUND)


def test_without_a_mailbox_a_check_is_skipped_and_says_so(authority: Authority) -> None:
    found = lmtp.known(replace(a_subject(authority), probe=None))
    assert (found.is_skipped, told(found)) == (True, "there is no mailbox to try it with ")


def test_a_socket_of_every_address_is_reached_by_loopback() -> None:
    assert parse("*:24").reached() == SocketAddress(host="127.0.0.1", port=24)
    assert parse("[::]:24").reached() == SocketAddress(host="::1", port=24)


@pytest.mark.parametrize("text", ["127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:0000080000", "127.0.0.1:x", "x"])
def test_what_is_no_port_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not HOST:PORT"):
        parse(text)


def test_a_map_that_cannot_be_asked_is_told_without_the_password(authority: Authority) -> None:
    said = "postmap: warning: connect to pgsql server postgresql://popadmin_mta:s3cret@/popadmin?port=5433: refused"
    found = lookups.mailboxes(a_subject(authority, view={"lookup": lambda _table, _key: Outcome(2, "", said)}))
    assert "cannot be asked" in told(found)
    assert "postgresql://popadmin_mta@/popadmin" in found.said
    assert "s3cret" not in found.said
