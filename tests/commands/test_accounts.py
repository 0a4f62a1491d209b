"""`domain`, `mailbox`, `device`, `alias`, `admin`: what they print, their exit codes, their one-line errors."""

from __future__ import annotations

import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from mailstore.models import Alias, AuditEntry, Device, Domain, Mailbox, User
from mailstore.policy import device_secret
from tests.commands.shell import one_line, process, said
from tests.site.rows import ACTOR, PASSWORD, a_domain, a_mailbox, a_message

pytestmark = pytest.mark.django_db
ANN = "ann@example.org"


def test_domain_ensure_says_created_then_changed_then_unchanged() -> None:
    assert said("domain", "ensure", "Example.org") == "example.org: created\n"
    assert said("domain", "ensure", "example.org", "--max-mailboxes", "5", "--inactive") == (
        "example.org: changed\n  active: True -> False\n  mailbox limit: None -> 5\n"
    )
    assert said("domain", "ensure", "example.org", "--max-mailboxes", "5") == "example.org: unchanged\n"
    assert said("domain", "ensure", "example.org", "--max-mailboxes", "none").startswith("example.org: changed")


def test_domain_list_tells_use_and_limits() -> None:
    a_domain("empty.org", mailbox_limit=3)
    a_message(a_mailbox(), octets=2048)
    a_mailbox("bob@example.org")
    empty, used = json.loads(said("domain", "list", "--json"))
    assert (empty["name"], empty["mailboxes"], empty["max_mailboxes"], empty["octets"]) == ("empty.org", 0, 3, 0)
    assert (used["name"], used["mailboxes"], used["messages"], used["octets"]) == ("example.org", 2, 1, 2048)
    table = said("domain", "list").splitlines()
    assert table[0].split()[:3] == ["DOMAIN", "STATE", "MAILBOXES"]
    assert "2 of -" in table[2]
    assert "2.0 KB" in table[2]


def test_an_empty_list_is_still_json() -> None:
    assert json.loads(said("domain", "list", "--json")) == []


def test_mailbox_ensure_prints_a_generated_password_that_works() -> None:
    a_domain()
    done = json.loads(said("mailbox", "ensure", ANN, "--quota", "2GB", "--no-web", "--json"))
    assert done["created"]
    assert done["changes"] == {"quota_octets": {"old": None, "new": 2**31}, "web": {"old": True, "new": False}}
    assert User.objects.get(address=ANN).check_password(done["password"])


@pytest.mark.django_db(transaction=True)
def test_mailbox_ensure_takes_a_password_from_stdin_and_prints_none() -> None:
    a_domain()
    done = process("mailbox", "ensure", ANN, "--password-stdin", stdin=f"{PASSWORD}\n".encode())
    assert (done.returncode, done.stdout.decode()) == (0, f"{ANN}: created\n")
    assert User.objects.get(address=ANN).check_password(PASSWORD)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "words", [("mailbox", "ensure", ANN), ("mailbox", "set-password", ANN), ("admin", "ensure", "root")]
)
def test_a_hash_on_stdin_is_refused_by_the_name_of_its_scheme(words: tuple[str, ...]) -> None:
    a_mailbox()
    done = process(*words, "--password-stdin", stdin=b"$6$salt$" + b"x" * 86 + b"\n")
    assert done.returncode == 1
    assert "password hash (SHA512-CRYPT)" in one_line(done.stderr)
    assert User.objects.get().check_password(PASSWORD)


def test_every_switch_of_mailbox_ensure_goes_both_ways() -> None:
    a_mailbox()
    off = ["--no-pop", "--no-receive", "--no-web", "--no-main-pop", "--suspend", "--hold", "--quota-messages", "7"]
    said("mailbox", "ensure", ANN, *off)
    told = json.loads(said("mailbox", "show", ANN, "--json"))
    names = ("pop", "receives", "web", "main_pop", "suspended", "held", "quota_messages")
    assert [told[name] for name in names] == [False, False, False, False, True, True, 7]
    assert "suspended, no mail in, no POP, no web, devices only, on hold" in said("mailbox", "list")
    on = ["--pop", "--receive", "--web", "--main-pop", "--activate", "--no-hold", "--quota-messages", "none"]
    said("mailbox", "ensure", ANN, *on)
    told = json.loads(said("mailbox", "show", ANN, "--json"))
    assert [told[name] for name in names] == [True, True, True, True, False, False, None]


def test_mailbox_list_keeps_to_a_domain_and_prints_quotas_as_they_are_typed() -> None:
    a_mailbox()
    a_mailbox("zoe@other.org")
    said("mailbox", "ensure", "zoe@other.org", "--quota", "500MB")
    (zoe,) = json.loads(said("mailbox", "list", "--domain", "OTHER.org", "--json"))
    assert (zoe["address"], zoe["quota"], zoe["quota_octets"]) == ("zoe@other.org", "500MB", 500 * 2**20)
    assert len(said("mailbox", "list").splitlines()) == 3


def test_mailbox_set_password_generates_one() -> None:
    a_mailbox()
    told = json.loads(said("mailbox", "set-password", ANN, "--json"))
    assert User.objects.get(address=ANN).check_password(told["password"])


def test_mailbox_set_password_may_ask_for_another_one_first() -> None:
    a_mailbox()
    for words, must in ((["set-password", ANN, "--must-change"], True), (["set-password", ANN], False)):
        said("mailbox", *words)
        assert User.objects.get(address=ANN).must_change_password is must
    said("mailbox", "ensure", ANN, "--must-change")
    assert json.loads(said("mailbox", "show", ANN, "--json"))["must_change_password"] is True


def test_mailbox_remove_needs_a_word_for_the_mail() -> None:
    a_message(a_mailbox())
    with pytest.raises(CommandError, match="contains mail"):
        call_command("mailbox", "remove", ANN)
    assert said("mailbox", "remove", ANN, "--with-mail") == f"{ANN}: removed, with 1 messages\n"
    assert json.loads(said("mailbox", "list", "--json")) == []


def test_a_removed_mailbox_is_listed_apart_restored_and_purged() -> None:
    a_message(a_mailbox())
    said("mailbox", "remove", ANN, "--with-mail")
    (told,) = json.loads(said("mailbox", "list", "--removed", "--json"))
    assert (told["address"], told["removed_by"] != "", told["removed_at"] < told["kept_until"]) == (ANN, True, True)
    assert f"removed, kept until {told['kept_until'][:10]}" in said("mailbox", "list", "--removed")
    assert said("mailbox", "restore", ANN) == f"{ANN}: restored, with 1 messages\n"
    assert said("mailbox", "list", "--removed").splitlines()[1:] == []
    said("mailbox", "remove", ANN, "--with-mail")
    assert json.loads(said("mailbox", "purge", ANN, "--json")) == {"address": ANN, "purged": True, "messages": 1}
    assert not Mailbox.objects.exists()


def test_a_domain_is_removed_with_a_word_for_its_mailboxes_listed_apart_restored_and_purged() -> None:
    a_message(a_mailbox(), octets=70)
    with pytest.raises(CommandError, match="still has mailboxes"):
        call_command("domain", "remove", "example.org")
    assert said("domain", "remove", "example.org", "--with-mailboxes") == (
        "example.org: removed, with 1 mailboxes, 0 aliases, 1 messages\n"
    )
    assert json.loads(said("domain", "list", "--json")) == []
    (told,) = json.loads(said("domain", "list", "--removed", "--json"))
    assert (told["name"], told["mailboxes"], told["octets"], told["removed_at"] is None) == (
        "example.org",
        1,
        70,
        False,
    )
    assert "removed, kept until 2" in said("domain", "list", "--removed")
    assert said("domain", "restore", "example.org").startswith("example.org: restored, with 1 mailboxes")
    said("domain", "remove", "example.org", "--with-mailboxes")
    purged = {"mailboxes": 1, "aliases": 0, "messages": 1, "octets": 70}
    assert json.loads(said("domain", "purge", "example.org", "--json")) == {
        "name": "example.org",
        "purged": True,
        **purged,
    }
    assert not Domain.objects.exists()


def test_device_add_shows_a_password_that_reads_back_and_says_what_became_of_the_main_view() -> None:
    a_mailbox()
    text = said("device", "add", ANN, "Office PC")
    shown = next(line.split()[1] for line in text.splitlines() if "password:" in line)
    selector, canonical = device_secret.split(shown)
    assert bytes(Device.objects.get(selector=selector).digest) == device_secret.digest(canonical)
    assert "the main password's view is independent" in text
    assert "the main password's view" not in said("device", "add", ANN, "Phone", "--mode", "peek")
    assert "the main password's view" not in said("device", "revoke", ANN, "Phone")
    assert "the main password's view is primary" in said("device", "revoke", ANN, "office pc")


def test_device_mode_says_what_deleting_does_from_now_on() -> None:
    a_mailbox()
    added = said("device", "add", ANN, "Phone")
    assert f"device mode {ANN} main primary" in added
    assert "is peek: never counts" in said("device", "mode", ANN, "phone", "peek")
    assert "is primary: deleting removes" in said("device", "mode", ANN, "main", "primary")
    assert "signs in to POP no more" in said("device", "mode", ANN, "main", "none")
    assert json.loads(said("device", "mode", ANN, "main", "peek", "--json"))["mode"] == "peek"


def test_device_list_never_shows_a_secret() -> None:
    a_mailbox()
    secret = json.loads(said("device", "add", ANN, "Phone", "--json"))["password"]
    listed = said("device", "list", ANN) + said("device", "list", ANN, "--json")
    assert secret not in listed
    assert secret[:8] not in listed
    assert [row["name"] for row in json.loads(said("device", "list", ANN, "--json"))] == ["main", "Phone"]


def test_alias_ensure_list_and_remove() -> None:
    a_domain()
    assert said("alias", "ensure", "@example.org", "ann@example.com", "bob@example.com").startswith(
        "@example.org: created"
    )
    assert json.loads(said("alias", "list", "--json")) == [
        {
            "address": "@example.org",
            "active": True,
            "targets": ["ann@example.com", "bob@example.com"],
            "forward": False,
            "keep_copy": False,
            "expires_at": None,
            "expired": False,
            "comment": "",
            "expand_to": ["ann@example.com", "bob@example.com"],
            "also_at": [],
        }
    ]
    said("alias", "ensure", "@example.org", "ann@example.com", "--inactive")
    assert said("alias", "list", "--domain", "example.org").splitlines()[1].split() == [
        "@example.org",
        "inactive",
        "ann@example.com",
    ]
    assert said("alias", "remove", "@example.org") == "@example.org: removed\n"
    assert not Alias.objects.exists()


def test_alias_ensure_makes_forwards_that_expire_and_say_what_for() -> None:
    a_mailbox()
    words = ["--keep-copy", "--expires", "2999-12-31", "--comment", "while away"]
    said("alias", "ensure", ANN, "bob@example.com", *words)
    (told,) = json.loads(said("alias", "list", "--json"))
    assert (told["forward"], told["keep_copy"], told["comment"]) == (True, True, "while away")
    assert told["expires_at"].startswith("2999-12-31T23:59:59")
    assert "active, keeps a copy, until 2999-12-31" in said("alias", "list")
    said("alias", "ensure", ANN, "bob@example.com", "--no-keep-copy", "--expires", "none")
    assert "until" not in said("alias", "list")


def test_domain_ensure_sets_what_mailboxes_may_have_and_what_it_stands_for() -> None:
    a_domain()
    words = ["--quota", "10GB", "--allotment", "20GB", "--mailbox-quota", "1GB", "--max-mailbox-quota", "2GB"]
    said("domain", "ensure", "example.org", *words, "--owner-forwards")
    said("domain", "ensure", "example.com", "--stands-for", "EXAMPLE.org")
    said("alias", "ensure", "@example.org", "bob@example.net")
    com, org = json.loads(said("domain", "list", "--json"))
    names = ("quota_octets", "allotment_octets", "mailbox_quota_octets", "max_mailbox_quota_octets", "owner_forwards")
    assert [org[name] for name in names] == [10 * 2**30, 20 * 2**30, 2**30, 2**31, True]
    assert (com["stands_for"], org["catch_all"]) == ("example.org", ["bob@example.net"])
    assert "active, stands for example.org" in said("domain", "list")
    said("domain", "ensure", "example.com", "--stands-for", "none")
    assert Domain.objects.get(name="example.com").stands_for is None


def test_admin_ensure_prints_a_password_that_works() -> None:
    told = json.loads(said("admin", "ensure", "root", "--json"))
    assert User.objects.get(address="root", role="admin").check_password(told["password"])


def test_the_audit_names_the_system_user() -> None:
    said("domain", "ensure", "example.org")
    entry = AuditEntry.objects.get()
    assert (entry.via, entry.actor_name != ACTOR.name, entry.actor_name != "") == ("shell", True, True)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (["domain", "ensure", "no-dots"], 1, "not a domain name"),
        (["domain", "restore", "example.org"], 1, "example.org is not removed"),
        (["domain", "remove", "unknown.org"], 1, "unknown.org is not a domain of this site"),
        (["domain", "ensure", "x.org", "--max-mailboxes", "-1"], 2, "'-1' is not a count"),
        (["domain", "ensure", "x.org", "--over-quota", "bounce"], 2, "invalid choice"),
        (["domain", "ensure", "x.org", "--active", "--inactive"], 2, "not allowed with"),
        (["domain"], 2, "VERB"),
        (["domain", "rename", "x.org"], 2, "invalid choice"),
        (["mailbox", "ensure", "ann"], 1, "has no @"),
        (["alias", "ensure", "ann@example.org", '"b c"@example.org'], 1, "quoted names before the @ are not supported"),
        (["mailbox", "ensure", "ann@unknown.org"], 1, "unknown.org is not a domain of this site"),
        (["mailbox", "ensure", "ann@example.org", "--quota", "-5"], 2, "'-5' is not a size"),
        (["mailbox", "ensure", "ann@example.org", "--quota", "1024"], 2, "write 1024MB, or 1024B for octets"),
        (["mailbox", "ensure", "ann@example.org", "--quota", "0"], 2, "write none for no limit, or 0B for no mail"),
        (["domain", "ensure", "example.org", "--quota", "500"], 2, "500 could be 500 octets or 500 MB"),
        (["domain", "ensure", "example.org", "--max-mailbox-quota", "500"], 2, "500 could be 500 octets or 500 MB"),
        (["policy", "ensure", "short", "--recovery-size", "500"], 2, "500 could be 500 octets or 500 MB"),
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


def test_a_domain_admin_is_made_and_loses_a_domain_at_the_shell() -> None:
    a_domain("one.example")
    a_domain("two.example")
    assert said("admin", "ensure", "carla", "--domain", "one.example").startswith("carla: created\n")
    assert said("admin", "grant", "carla", "two.example") == "carla: two.example granted\n"
    assert said("admin", "revoke", "carla", "one.example") == "carla: one.example revoked\n"
    assert json.loads(said("admin", "revoke", "carla", "one.example", "--json"))["changed"] is False
    assert [grant.domain.name for grant in User.objects.get(address="carla").grants.all()] == ["two.example"]
