"""A log is read into the trace once, whatever happens to its file, and only what never reached us."""

from __future__ import annotations

import json
import signal
import sys
from datetime import timedelta
from pathlib import Path
from subprocess import DEVNULL

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from mailstore.models import Domain, Heartbeat, Mailbox, MtaLogPosition, TraceEntry
from mailstore.mta_log import log_source
from mailstore.mta_log.log_reader import LogReader, Read
from mailstore.mta_log.log_source import Line
from mailstore.policy.trace_fold import NAMES_OF_AN_HOUR
from popadmin.web import site_parts, trace_text
from tests.listeners import LONGEST_WAIT_SECONDS, MANAGE
from tests.management.command_runner import environment, one_line, process, said
from tests.site.rows import a_mailbox
from tests.up.programs import running, until

pytestmark = pytest.mark.django_db
QUEUED = "postfix/qmgr[1]: 4XyzA1B2c3: from=<s@example.net>, size=1432, nrcpt=1 (queue active)"
DEFERRED = (
    "postfix/lmtp[2]: 4XyzA1B2c3: to=<ann@example.org>, relay=none, delay=1, delays=0/0/1/0, dsn=4.4.1, "
    "status=deferred (connect to mail[private/popadmin]: Connection refused)"
)
EXIM_DEFERRED = "1rXyzA-0001Ab-2C == bob@example.org R=popadmin T=popadmin_lmtp defer (111): Connection refused"
EXPIRED = "postfix/qmgr[1]: 4XyzA1B2c3: from=<s@example.net>, status=expired, returned to sender"
REJECTED = (
    "postfix/smtpd[3]: NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 550 5.1.1 <nobody@{domain}>: Recipient address "
    "rejected: User unknown; from=<s@example.net> to=<nobody@{domain}> proto=ESMTP helo=<x>"
)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    a_mailbox()
    (tmp_path / "mail.log").touch()
    return tmp_path / "mail.log"


def write(log: Path, *texts: str, ago: timedelta = timedelta(minutes=5)) -> None:
    at = (timezone.now() - ago).isoformat()
    with log.open("a") as file:
        file.writelines(f"{at} mail {text}\n" for text in texts)


def read(log: Path) -> Read:
    return LogReader(log_source.source(str(log))).read()


def told() -> list[tuple[str, str, str, int]]:
    return [(row.answer, row.reason, row.recipient, row.tries) for row in TraceEntry.objects.order_by("pk")]


def test_what_never_reached_us_is_told_with_what_other_lines_say(log: Path) -> None:
    write(log, QUEUED, DEFERRED, REJECTED.format(domain="example.org"), REJECTED.format(domain="nowhere.example"))
    assert read(log) == Read(4, 2)
    first, second = TraceEntry.objects.order_by("pk")
    assert told() == [("deferred", "queued", "ann@example.org", 1), ("refused", "unknown", "nobody@example.org", 1)]
    assert (first.sender, first.octets, first.mta_id, first.source) == ("s@example.net", 1432, "4XyzA1B2c3", "mta")
    assert first.mailbox.user.address == "ann@example.org"
    assert (second.domain.name, second.mailbox_id, second.origin) == ("example.org", None, "203.0.113.9")
    assert "Connection refused" in first.reply


def test_a_message_that_waited_is_sent_on_and_waits_no_more(log: Path) -> None:
    waits = "postfix/smtp[2]: 4XyzA1B2c3: to=<{}>, relay=mx.elsewhere.example[198.51.100.2]:25, delay=1, status={}"
    queued = QUEUED.replace("s@example.net", "ann@example.org")
    for to in ("x@elsewhere.example", "y@elsewhere.example"):
        write(log, queued, waits.format(to, "deferred (host said: 450 greylisted)"), ago=timedelta(minutes=5))
    read(log)
    write(log, waits.format("x@elsewhere.example", "sent (250 Ok)"), ago=timedelta())
    write(log, waits.format("x@elsewhere.example", "sent (250 Ok)").replace("4XyzA1B2c3", "4Other0000"))
    assert read(log).rows == 1
    assert told() == [
        ("delivered", "sent", "x@elsewhere.example", 1),
        ("deferred", "queued", "y@elsewhere.example", 1),
    ]
    sent = TraceEntry.objects.get(reason="sent")
    assert (sent.reply, sent.at > sent.first_at) == ("250 Ok", True)
    assert trace_text.sentence(sent).text.replace("\xa0", " ") == "Sent on, 5 minutes late"


def test_a_recipient_that_the_mta_cannot_reach_has_the_reason_of_our_own_lookup(log: Path) -> None:
    closed = a_mailbox("closed@example.org")
    Mailbox.objects.filter(pk=closed.pk).update(receives=False)
    a_mailbox("in@off.example")
    Domain.objects.filter(name="off.example").update(active=False)
    denied = (
        "postfix/smtpd[3]: NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 554 5.7.1 <{0}>: {1}; "
        "from=<s@example.net> to=<{0}> proto=ESMTP helo=<x>"
    )
    relay, listed = "Relay access denied", "Service unavailable; Client host [203.0.113.9] blocked using zen.example"
    write(
        log,
        *[REJECTED.format(domain="example.org")] * 2,
        denied.format("in@off.example", relay),
        denied.format("closed@example.org", listed),
        denied.format("closed@example.org", "Recipient address rejected: unverified address: Address verification"),
        denied.format("in@off.example", "Recipient address rejected: this mailbox does not receive mail"),
        denied.format("x@nowhere.example", relay),
    )
    assert read(log).rows == 6
    assert sorted(told()) == sorted([
        ("refused", "unknown", "nobody@example.org", 2),
        ("refused", "domain-off", "in@off.example", 2),
        ("refused", "rejected", "closed@example.org", 1),
        ("refused", "closed", "closed@example.org", 1),
    ])  # fmt: skip
    assert TraceEntry.objects.get(reason="closed").mailbox_id == closed.pk


def test_a_refusal_of_the_policy_service_is_left_to_its_own_row(log: Path) -> None:
    ours = REJECTED.replace("User unknown", "no such mailbox here")
    write(log, ours.format(domain="example.org"))
    assert read(log) == Read(1, 0)


def test_a_message_without_recipients_is_of_its_sender_and_a_flood_of_them_is_folded(log: Path) -> None:
    large = (
        "postfix/smtpd[3]: NOQUEUE: reject: MAIL from unknown[203.0.113.9]: 552 5.3.4 Message size exceeds fixed "
        "limit; from=<{}> proto=ESMTP helo=<x>"
    )
    write(log, large.format("ann@example.org"), *(large.format(f"s{n}@example.net") for n in range(NAMES_OF_AN_HOUR)))
    read(log)
    first = TraceEntry.objects.order_by("pk").first()
    assert (first.sender, first.reason, first.recipient) == ("ann@example.org", "too-large", "")
    assert (first.mailbox.user.address, first.domain.name) == ("ann@example.org", "example.org")
    assert TraceEntry.objects.count() == NAMES_OF_AN_HOUR + 1
    assert TraceEntry.objects.filter(sender="").get().mailbox_id is None


def test_a_circle_in_the_log_is_told_as_one_in_a_delivery(log: Path) -> None:
    write(log, QUEUED, DEFERRED.replace("=deferred", "=bounced").replace("Connection refused", "554 5.4.6 mail loop"))
    read(log)
    assert told() == [("refused", "loop", "ann@example.org", 1)]
    assert Mailbox.objects.get(user__address="ann@example.org").looped_at is not None


def test_a_stranger_who_tries_names_within_one_message_makes_no_more_rows_than_one_without(log: Path) -> None:
    """Postfix gives a queue id with the first good recipient, and says it with each refusal that follows."""
    lines = [REJECTED.replace("NOQUEUE", "4XyzA1B2c3").replace("nobody", f"n{n}") for n in range(NAMES_OF_AN_HOUR + 50)]
    write(log, *(line.format(domain="example.org") for line in lines))
    read(log)
    assert TraceEntry.objects.count() == NAMES_OF_AN_HOUR + 1
    assert TraceEntry.objects.get(recipient="").tries == 50


def test_so_do_many_readings_of_a_timer(log: Path) -> None:
    for first in (0, 150):
        write(log, *(REJECTED.replace("nobody", f"n{first + n}").format(domain="example.org") for n in range(150)))
        read(log)
    assert TraceEntry.objects.count() == NAMES_OF_AN_HOUR + 1


def test_mail_that_is_given_up_is_returned_also_where_one_reading_has_all_of_it(log: Path) -> None:
    sent = DEFERRED.replace("ann@", "bob@").replace("status=deferred", "status=sent").replace("lmtp", "smtp")
    write(log, QUEUED, DEFERRED, DEFERRED.replace("ann@", "bob@"), sent, EXPIRED)
    read(log)
    assert {row[:3] for row in told()} >= {("refused", "bounced", "ann@example.org")}
    assert not TraceEntry.objects.filter(reason="bounced", recipient="bob@example.org").exists()


def test_two_readers_of_one_log_count_no_line_twice(log: Path) -> None:
    write(log, QUEUED, DEFERRED)
    slow = LogReader(log_source.source(str(log)))

    def read_meanwhile() -> bool:
        read(log)
        return False

    with pytest.raises(OSError, match="another read-mta-log"):
        slow.read(stop=read_meanwhile)
    assert told() == [("deferred", "queued", "ann@example.org", 1)]


def test_each_line_counts_once_also_over_rotation_and_a_line_that_is_half_written(log: Path) -> None:
    write(log, QUEUED, DEFERRED)
    read(log)
    assert read(log) == Read()
    with log.open("a") as file:
        file.write(f"{timezone.now().isoformat()} mail postfix/lmtp[2]: 4XyzA1B2c3: to=<ann@exam")
    assert read(log) == Read()
    with log.open("a") as file:
        file.write(DEFERRED.partition("ann@exam")[2] + "\n")
    log.rename(log.with_name("mail.log.1"))
    log.touch()
    write(log, DEFERRED)
    assert read(log) == Read(2, 2)
    assert told() == [("deferred", "queued", "ann@example.org", 3)]
    log.write_text("")
    write(log, EXPIRED)
    assert read(log).rows == 1
    assert told()[1] == ("refused", "bounced", "ann@example.org", 1)
    assert TraceEntry.objects.last().sender == "s@example.net"


def test_overlong_lines_and_octets_that_are_no_text_stop_nothing(log: Path) -> None:
    with log.open("ab") as file:
        file.write(b"x" * 100_000 + b"\n\xff\xfe\0\n")
    write(log, DEFERRED.replace("refused", "ref\0sed"))  # a power cut leaves such octets in a file
    write(log, DEFERRED, ago=timedelta(days=100))
    assert read(log).rows == 1
    assert "ref\N{REPLACEMENT CHARACTER}sed" in TraceEntry.objects.get().reply


def test_the_journal_gives_its_entries_and_cursor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A journalctl that says what it was asked, and has one entry behind a damaged one."""
    a_mailbox()
    entry = {
        "MESSAGE": DEFERRED.partition(": ")[2], "__CURSOR": "s=1;i=2", "SYSLOG_IDENTIFIER": "postfix/lmtp",
        "__REALTIME_TIMESTAMP": str(int(timezone.now().timestamp() * 1_000_000)),
    }  # fmt: skip
    binary = json.dumps({**entry, "MESSAGE": [1, 2]})
    of_exim = {**entry, "SYSLOG_IDENTIFIER": "exim4", "MESSAGE": f"{timezone.now():%Y-%m-%d %H:%M:%S} {EXIM_DEFERRED}"}
    lines = "\n".join([binary, json.dumps(of_exim), json.dumps(entry)])
    program = tmp_path / "journalctl"
    program.write_text(f"#!/bin/sh\necho \"$@\" >> {tmp_path}/asked\ncat <<'END'\nnot json\n{lines}\nEND\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    for _time in range(2):
        LogReader(log_source.source("journal:postfix@-.service")).read()
    assert sorted(told()) == [
        ("deferred", "queued", "ann@example.org", 2),
        ("deferred", "queued", "bob@example.org", 2),
    ]
    assert MtaLogPosition.objects.get().position == "s=1;i=2"
    asked = (tmp_path / "asked").read_text()
    assert "--unit=postfix@-.service" in asked
    assert "--after-cursor=s=1;i=2" in asked


@pytest.mark.django_db(transaction=True)
def test_a_journal_that_may_not_be_read_is_said_and_the_part_is_silent(tmp_path: Path) -> None:
    program = tmp_path / "journalctl"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    done = process("read-mta-log", "--journal", "--follow", PATH=f"{tmp_path}:/usr/bin:/bin")
    assert (done.returncode, "journalctl ended with 1" in one_line(done.stderr)) == (1, True)
    assert not Heartbeat.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_reader_that_goes_on_is_a_part_of_the_site(log: Path, settings: Settings) -> None:
    write(log, QUEUED)
    settings.MTA_LOG = str(log)
    assert [(part.name, part.good) for part in site_parts.read_parts()][2:3] == [("mta-log", False)]
    command = [sys.executable, str(MANAGE), "read-mta-log", "--follow"]
    with running(command, env=environment(MTA_LOG=str(log)), stdout=DEVNULL) as process:
        until(Heartbeat.objects.filter(part="mta-log").exists, "it beats")
        write(log, QUEUED, DEFERRED)
        until(TraceEntry.objects.exists, "it has read on")
        assert [(part.name, part.good) for part in site_parts.read_parts()][2:3] == [("mta-log", True)]
        process.send_signal(signal.SIGTERM)
        assert process.wait(LONGEST_WAIT_SECONDS) == 0


def test_a_journal_source_is_named_by_its_units() -> None:
    assert [log_source.source(text).name for text in ("journal", "journal:exim4.service", "/var/log/mail.log")] == [
        "journal:postfix.service,postfix@-.service", "journal:exim4.service", "/var/log/mail.log",
    ]  # fmt: skip
    assert Line("x", "1:2").at_microseconds is None


def test_the_command_reads_a_file_and_says_what_is_missing(log: Path) -> None:
    write(log, QUEUED, DEFERRED)
    assert said("read-mta-log", str(log)) == "lines read 2, answers of the MTA 1\n"
    assert json.loads(said("read-mta-log", str(log), "--json")) == {"lines": 0, "rows": 0}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        ((), 2, "MTA_LOG"),
        (("/x", "--journal"), 2, "not both"),
        (("/no/such/file",), 1, "cannot be read"),
    ],
)
def test_a_mistake_is_one_line(words: tuple[str, ...], code: int, text: str) -> None:
    done = process("read-mta-log", *words)
    assert done.returncode == code
    assert text in one_line(done.stderr)
