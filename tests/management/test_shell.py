"""What all commands share: exit codes, errors in one line, `--help`, and the actor in the audit."""

from __future__ import annotations

import logging

import pytest
from django.core.management import CommandError, call_command

from mailstore.models import AuditEntry, Domain, User
from tests.management.command_runner import one_line, process, said
from tests.site.rows import ACTOR, a_domain

pytestmark = pytest.mark.django_db


def test_the_audit_names_the_system_user() -> None:
    said("domain", "ensure", "example.org")
    entry = AuditEntry.objects.get()
    assert (entry.via, entry.actor_name != ACTOR.name, entry.actor_name != "") == ("shell", True, True)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (["domain", "ensure", "no-dots"], 1, "lacks its ending"),
        (["domain", "restore", "example.org"], 1, "example.org is not removed"),
        (["domain", "remove", "unknown.org"], 1, "unknown.org is not a domain of this site"),
        (["domain", "ensure", "x.org", "--max-mailboxes", "-1"], 2, "'-1' is not a count"),
        (["domain", "ensure", "x.org", "--over-quota", "bounce"], 2, "invalid choice"),
        (["domain", "ensure", "x.org", "--active", "--inactive"], 2, "not allowed with"),
        (["domain"], 2, "VERB"),
        (["domain", "rename", "x.org"], 2, "required: NEW"),
        (["domain", "sell", "x.org"], 2, "invalid choice"),
        (["mailbox", "ensure", "ann"], 1, "has no @"),
        (["alias", "ensure", "ann@example.org", '"b c"@example.org'], 1, "quoted names before the @ are not supported"),
        (["mailbox", "ensure", "ann@unknown.org"], 1, "unknown.org is not a domain of this site"),
        (["mailbox", "ensure", "ann@example.org", "--quota", "-5"], 2, "'-5' is not a size"),
        (["mailbox", "ensure", "ann@example.org", "--quota", "1024"], 2, "write 1024MB, or 1024B for bytes"),
        (["mailbox", "ensure", "ann@example.org", "--quota", "0"], 2, "write none for no limit, or 0B for no mail"),
        (["mailbox", "ensure", "ann@example.org", "--quota", "7KB"], 1, "--quota 7KB is below 1 MB: add --small-sizes"),
        (["mailbox", "ensure", "ann@example.org", "--quota", "0B"], 1, "--quota 0B is below 1 MB: add --small-sizes"),
        (["domain", "ensure", "example.org", "--mailbox-quota", "7KB"], 1, "--mailbox-quota 7KB is below 1 MB"),
        (["policy", "ensure", "short", "--recovery-size", "7KB"], 1, "--recovery-size 7KB is below 1 MB"),
        (["domain", "ensure", "example.org", "--quota", "500"], 2, "500 could be 500 bytes or 500 MB"),
        (["domain", "ensure", "example.org", "--max-mailbox-quota", "500"], 2, "500 could be 500 bytes or 500 MB"),
        (["policy", "ensure", "short", "--recovery-size", "500"], 2, "500 could be 500 bytes or 500 MB"),
        (["mailbox", "ensure", "ann@example.org", "--quota", "2XB"], 2, "'2XB' is not a size"),
        (["mailbox", "ensure", "ann@example.org", "--password-stdin"], 2, "standard input is empty"),
        (["mailbox", "show", "ann@example.org"], 1, "not a mailbox"),
        (["device", "add", "ann@example.org", "Phone", "--start", "7d"], 2, "invalid choice"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_refused_ends_in_its_exit_code_and_one_line(words: list[str], code: int, why: str) -> None:
    a_domain()
    done = process(*words)
    assert (done.returncode, done.stdout) == (code, b"")
    assert why in one_line(done.stderr)
    assert (Domain.objects.count(), User.objects.count(), AuditEntry.objects.count()) == (1, 0, 1)


@pytest.mark.django_db(transaction=True)
def test_a_done_command_ends_with_zero_and_a_silent_stderr() -> None:
    done = process("domain", "ensure", "example.org")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"example.org: created\n", b"")


def test_a_database_that_is_away_is_one_line_that_says_what_to_do() -> None:
    done = process("domain", "list", DATABASE_URL="postgres://nobody@127.0.0.1:1/none")
    assert done.returncode == 1
    assert "127.0.0.1:1 is away" in one_line(done.stderr)


@pytest.mark.parametrize("words", [["domain"], ["domain", "ensure"], ["mailbox", "ensure"], ["device", "add"]])
def test_help_has_an_example(words: list[str]) -> None:
    done = process(*words, "--help")
    assert done.returncode == 0
    assert b"example: popadmin " + words[0].encode() in done.stdout


def test_a_command_that_silences_the_log_leaves_it_as_it_was() -> None:
    log = logging.getLogger("popadmin")
    before = log.level
    with pytest.raises(CommandError, match="name a PATH or URL"):
        call_command("import-mail", "ann@example.org")
    assert log.level == before != logging.CRITICAL
