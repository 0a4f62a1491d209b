"""Mailbox imports: the check tells what the run then does, a run can be resumed, passwords are handed out once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import connection
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from mailstore.bodies.files import FileBodies
from mailstore.directory import (
    aliases,
    audit,
    domain_rename,
    mailbox_batch,
    mailbox_moves,
    mailbox_removal,
    mailbox_rename,
    mailboxes,
    new_password,
    policies,
)
from mailstore.directory.audit import Actor
from mailstore.directory.new_password import New
from mailstore.directory.outcome import Rejected
from mailstore.models import AuditEntry, Domain, Mailbox, MailboxImport, MailboxImportRow, RetentionPolicy, User
from mailstore.policy.quota import MAX_OCTETS, Reading
from mailstore.retention import sweep
from mailstore.transfer import (
    cell,
    mailbox_columns,
    mailbox_import,
    mailbox_import_changes,
    mailbox_import_step,
    mailbox_import_undo,
    password_handout,
)
from mailstore.transfer.mailbox_import_changes import CellChange
from tests.site.counting_hasher import PATH, cost
from tests.site.rows import ACTOR, PASSWORD, a_domain, a_mailbox, at_once

pytestmark = pytest.mark.django_db


def an_upload(*lines: str, mode: str = "both", owner: User | None = None) -> MailboxImport:
    upload = mailbox_import.bring_in("\n".join(lines).encode(), "people.csv", owner=owner)
    mailbox_import.choose(upload, upload.meaning, mode)
    return upload


def step(upload: MailboxImport, domains: Collection[str] | None = None, *, actor: Actor = ACTOR) -> bool:
    every = RetentionPolicy.objects.all()
    return mailbox_import.step(upload, actor=actor, domains=domains, policies=every)


def run_steps(upload: MailboxImport, domains: Collection[str] | None = None, *, actor: Actor = ACTOR) -> MailboxImport:
    while step(upload, domains, actor=actor):
        pass
    upload.refresh_from_db()
    return upload


def check_and_run(upload: MailboxImport, domains: Collection[str] | None = None) -> MailboxImport:
    mailbox_import.start(run_steps(upload, domains))
    return run_steps(upload, domains)


def hand_out(upload: MailboxImport, domains: Collection[str]) -> list[tuple[str, str]]:
    return password_handout.hand_out(upload, actor=ACTOR, domains=domains)


def results(upload: MailboxImport) -> list[tuple[int, str, str, str]]:
    rows = MailboxImportRow.objects.filter(mailbox_import=upload).order_by("line")
    return [(row.line, row.fate, row.column, row.detail) for row in rows]


def test_a_check_says_what_would_become_of_each_row_and_changes_nothing() -> None:
    a_mailbox("ann@example.org")
    upload = run_steps(
        an_upload(
            "address,name,quota,pop",
            "ann@example.org,Ann,1GB,yes",
            "Bob@Example.org,Bob,,",
            "ann@example.org,Again,,",
            "chloe@example.org,Chloe,many,",
            "dan@elsewhere.org,Dan,,",
            "no address,,,",
        )
    )
    assert [fate for _line, fate, _column, _detail in results(upload)] == ["change", "create"] + ["wrong"] * 4
    wrong = [(line, column, detail) for line, fate, column, detail in results(upload) if fate == "wrong"]
    assert wrong[0] == (4, "address", "line 2 has the same address")
    assert wrong[1][:2] == (5, "quota")
    assert "elsewhere.org" in wrong[2][2]
    assert (upload.stage, Mailbox.objects.count(), Mailbox.objects.get().quota_octets) == ("checked", 1, None)


CAPS = {
    "mailbox_limit": 3,
    "mailbox_quota_default": 1024**2,
    "mailbox_quota_most": 2 * 1024**3,
    "allotment_octets": 3 * 1024**3,
}
ROWS_WITH_RESULTS = {
    "an address that is an alias": (
        ["address", "info@example.org"],
        ["wrong address: info@example.org is an alias: remove that first"],
    ),
    "a value that changes nothing": (["address,name", "ann@example.org,Ann"], ["same"]),
    "the password that is there": (["address,password", f"ann@example.org,{PASSWORD}"], ["same"]),
    "a password": (["address,password", f"bob@example.org,{PASSWORD}"], ["create"]),
    "the same address twice": (
        ["address,name", "bob@example.org,Bob", "Bob@Example.org,Robert"],
        ["create", "wrong address: line 2 has the same address"],
    ),
    "two rows that look alike": (
        ["address", "\u0440\u043e\u0440@example.org", "pop@example.org"],
        ["create", "wrong address: pop@example.org looks like \u0440\u043e\u0440@example.org"],
    ),
    "a row outside of the domains of a domain admin": (
        ["address", "bob@other.org"],
        ["wrong address: other.org is not a domain of this site: create it first"],
    ),
    "two rows that are more than a domain may have": (
        ["address", "bob@example.org", "nobody", "cat@example.org", "dan@example.org"],
        ["create", "wrong address: ", "create", "wrong address: example.org has reached its mailbox limit (3)"],
    ),
    "two rows whose quotas are more than a domain may have": (
        ["address,quota", "bob@example.org,2GB", "cat@example.org,2GB", "dan@example.org,1MB"],
        ["create", "wrong quota: the quotas of all mailboxes in example.org can be at most 3GB", "create"],
    ),
    "a lower quota, which makes room for the next": (
        ["address,quota", "ann@example.org,1MB", "bob@example.org,2047MB", "cat@example.org,1GB"],
        ["change", "create", "create"],
    ),
}


@pytest.mark.parametrize("case", ROWS_WITH_RESULTS)
def test_the_check_and_the_run_say_the_same_of_each_row_to_a_domain_admin(case: str) -> None:
    lines, expected = ROWS_WITH_RESULTS[case]
    a_domain("example.org", **CAPS)
    a_domain("other.org")
    mailboxes.ensure("ann@example.org", actor=ACTOR, password=PASSWORD, name="Ann", quota_octets=2 * 2**20)
    aliases.ensure("info@example.org", ["ann@example.org"], actor=ACTOR)
    actor = Actor("chief", "web", User.objects.create(address="chief@elsewhere.example"))
    domains = {"example.org"}

    upload = run_steps(an_upload(*lines), domains, actor=actor)
    checked = results(upload)
    found = [f"{fate} {column}: {detail}" if detail else fate for _line, fate, column, detail in checked]
    assert [text.startswith(start) for text, start in zip(found, expected, strict=True)] == [True] * len(found), found
    assert [mailbox.user.address for mailbox in Mailbox.objects.all()] == ["ann@example.org"]
    if {"create", "change"} & {fate for _line, fate, _column, _detail in checked}:
        mailbox_import.start(upload)
        assert results(run_steps(upload, domains, actor=actor)) == checked


def test_a_check_hashes_no_password(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = [PATH]
    a_domain()
    upload = an_upload("address,password", f"bob@example.org,{PASSWORD}")
    _upload, hashes = cost(lambda: run_steps(upload))
    assert (results(upload), hashes) == ([(2, "create", "", '{"password": [null, null]}')], 0)


def test_the_run_does_what_the_check_said() -> None:
    a_mailbox("ann@example.org")
    upload = an_upload("e-mail;nom;mot de passe", "ann@example.org;Ann;", f"bob@example.org;Bob;{PASSWORD}", "x;;")
    before = results(run_steps(upload))
    assert start_and_run(upload) == before
    assert User.objects.get(address="bob@example.org").check_password(PASSWORD)
    assert User.objects.get(address="ann@example.org").name == "Ann"
    assert mailbox_import.counts(upload) | {"rows": 3, "done": 2, "wrong": 1, "due": 0} == mailbox_import.counts(upload)


def test_a_cell_that_holds_a_hash_of_no_use_is_a_wrong_row_and_no_password_is_made_of_it() -> None:
    a_mailbox("ann@example.org")
    hash_cells = ("{CRAM-MD5}" + "e" * 64, "$2y$13$" + "x" * 53)
    upload = run_steps(
        an_upload(
            "address,password",
            f"ann@example.org,{hash_cells[0]}",
            f"bob@example.org,{hash_cells[1]}",
            f"chloe@example.org,{PASSWORD}",
        )
    )
    found = results(upload)
    assert [(line, fate, column) for line, fate, column, _detail in found[:2]] == [
        (2, "wrong", "password"),
        (3, "wrong", "password"),
    ]
    assert "CRAM-MD5" in found[0][3]
    assert "(BLF-CRYPT)" in found[1][3]
    mailbox_import.start(upload)
    run_steps(upload)
    assert set(User.objects.values_list("address", flat=True)) == {"ann@example.org", "chloe@example.org"}
    assert User.objects.get(address="ann@example.org").check_password(PASSWORD)


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("1024", "1024 could be 1024 bytes or 1024 MB: write 1024MB, or 1024B for bytes"),
        ("500", "500 could be 500 bytes or 500 MB: write 500MB, or 500B for bytes"),
        ("500B", "500B is below 1 MB: confirm that such sizes are meant, or write a larger one"),
        ("0B", "0B is below 1 MB: confirm that such sizes are meant, or write a larger one"),
        ("0", "0 could mean no mail at all or no limit: write none for no limit, or 0B for no mail"),
        ("-1", "-1 could mean no mail at all or no limit: write none for no limit, or 0B for no mail"),
    ],
)
def test_a_quota_that_may_be_meant_in_two_ways_is_a_wrong_row_that_names_both(cell: str, why: str) -> None:
    a_domain()
    upload = run_steps(an_upload("address,quota,quota messages", f"ann@example.org,{cell},1024"))
    assert results(upload) == [(2, "wrong", "quota", why)]


@given(st.none() | st.integers(min_value=0, max_value=MAX_OCTETS))
def test_the_quota_of_an_export_is_read_back_as_it_was_written(quota_octets: int | None) -> None:
    mailbox = Mailbox(user=User(address="ann@example.org"), quota_octets=quota_octets)
    written = str(mailbox_columns.cell("quota_octets", mailbox))
    assert cell.read_size(written, Reading(small=True)) == quota_octets


def start_and_run(upload: MailboxImport) -> list[tuple[int, str, str, str]]:
    mailbox_import.start(upload)
    return results(run_steps(upload))


@pytest.mark.parametrize(("mode", "expected"), [("create", ["same", "create"]), ("update", ["change", "wrong"])])
def test_a_mode_lets_the_other_kind_of_rows_alone(mode: str, expected: list[str]) -> None:
    a_mailbox("ann@example.org")
    upload = run_steps(an_upload("address,name", "ann@example.org,Ann", "bob@example.org,Bob", mode=mode))
    assert [fate for _line, fate, _column, _detail in results(upload)] == expected


def test_passwords_that_nobody_chose_are_handed_out_once_and_open_the_mailboxes() -> None:
    a_domain()
    upload = check_and_run(an_upload("address", "ann@example.org", "bob@example.org"))
    assert not User.objects.get(address="ann@example.org").has_usable_password()
    passwords = dict(password_handout.hand_out(upload, actor=ACTOR, domains=None))
    assert set(passwords) == {"ann@example.org", "bob@example.org"}
    assert all(User.objects.get(address=address).check_password(secret) for address, secret in passwords.items())
    assert all(User.objects.filter(address__in=passwords).values_list("must_change_password", flat=True))
    assert password_handout.hand_out(upload, actor=ACTOR, domains=None) == []
    assert not any(secret in str(list(AuditEntry.objects.values())) for secret in passwords.values())


def test_while_thousands_of_slow_hashes_are_made_nothing_is_locked(monkeypatch: pytest.MonkeyPatch) -> None:
    a_domain()
    upload = check_and_run(an_upload("address", "ann@example.org"))
    savepoints: list[int] = []

    def hashed(passwords: Sequence[New]) -> list[str]:
        savepoints.append(len(connection.savepoint_ids))
        return real(passwords)

    real = new_password.hashed
    monkeypatch.setattr(new_password, "hashed", hashed)
    assert len(password_handout.hand_out(upload, actor=ACTOR, domains=None)) == 1
    assert savepoints == [0]


def everything_stored() -> str:
    kept = (MailboxImport.objects.values(), MailboxImportRow.objects.values(), AuditEntry.objects.values())
    return str([list(rows) for rows in kept])


def test_the_passwords_of_a_file_are_forgotten_by_the_run_those_of_wrong_rows_too() -> None:
    a_domain()
    # One refused by the check, one by the run alone; the last column is left out, whatever it holds.
    lines = (f"ann@example.org,{PASSWORD},{PASSWORD}", f"nobody,{PASSWORD},", f"bob@example.org,{PASSWORD},")
    upload = run_steps(an_upload("address,password,note", *lines))
    assert PASSWORD in everything_stored(), "the run needs them"
    mailbox_import.start(upload)
    Domain.objects.update(mailbox_limit=1)
    run_steps(upload)
    assert [fate for _line, fate, _column, _detail in results(upload)] == ["create", "wrong", "wrong"]
    assert User.objects.get(address="ann@example.org").check_password(PASSWORD)
    assert PASSWORD not in everything_stored()


def test_a_run_forgets_step_by_step_and_still_has_what_the_next_step_needs() -> None:
    a_domain()
    lines = [f"user{n}@example.org,{n}" for n in range(mailbox_import.STEP_ROWS + 1)]
    upload = run_steps(an_upload("address,name", *lines))
    mailbox_import.start(upload)
    assert step(upload)
    left = MailboxImportRow.objects.exclude(cells=["", ""])
    assert list(left.values_list("cells", flat=True)) == [lines[-1].split(",")]
    run_steps(upload)
    assert (left.count(), User.objects.count()) == (0, len(lines))


@pytest.mark.parametrize(("days", "left"), [(8, 0), (6, 1)])
def test_the_sweep_forgets_a_file_after_a_week_done_or_not(tmp_path: Path, days: int, left: int) -> None:
    a_domain()
    upload = run_steps(an_upload("address,password", f"ann@example.org,{PASSWORD}"))
    store = FileBodies(tmp_path / "bodies")
    store.prepare()
    MailboxImport.objects.update(created_at=timezone.now() - timedelta(days=days))
    sweep.preview(store)
    assert MailboxImport.objects.filter(pk=upload.pk).exists()
    sweep.run(store)
    assert (MailboxImport.objects.count(), MailboxImportRow.objects.count()) == (left, left)


def test_of_the_files_that_a_user_does_not_carry_out_the_newest_are_kept() -> None:
    a_domain()
    carl, dora = (User.objects.create(address=f"{name}@example.net", role="admin") for name in ("carl", "dora"))
    others = an_upload("address", "x@example.org", owner=dora)
    done = check_and_run(an_upload("address", "y@example.org", owner=carl))
    uploads = [an_upload("address", "z@example.org", owner=carl).pk for _ in range(mailbox_import.WAITING_AT_MOST + 2)]
    kept = set(MailboxImport.objects.values_list("pk", flat=True))
    assert kept == {others.pk, done.pk, *uploads[2:]}


def test_a_password_against_the_rules_is_the_rows_fault() -> None:
    a_domain()
    ((_line, fate, _column, detail),) = results(run_steps(an_upload("address,password", "ann@example.org,short")))
    assert fate == "wrong"
    assert "short" in detail


def test_whoever_may_not_change_a_domain_is_told_it_does_not_exist() -> None:
    a_domain("example.org")
    a_domain("other.org")
    upload = run_steps(an_upload("address", "ann@example.org", "bob@other.org"), domains={"example.org"})
    (_ann, ann, _c, _d), (_bob, bob, _column, detail) = results(upload)
    assert (ann, bob) == ("create", "wrong")
    assert "not a domain of this site" in detail


def test_the_last_choice_of_columns_is_remembered() -> None:
    person = a_mailbox("admin@example.org").user
    first = mailbox_import.bring_in(b"who,label\nann@example.org,Ann\n", "a.csv", owner=person)
    assert first.meaning == ["", ""]
    mailbox_import.choose(first, ["address", "name"], "both")
    assert mailbox_import.bring_in(b"who,label\nbob@example.org,Bob\n", "b.csv", owner=person).meaning == [
        "address",
        "name",
    ]


@pytest.mark.parametrize("meaning", [["name", ""], ["address", "address"], ["address", "shoe size"], ["address"]])
def test_columns_that_make_no_sense_are_refused(meaning: list[str]) -> None:
    upload = mailbox_import.bring_in(b"a,b\n1,2\n", "a.csv", owner=None)
    with pytest.raises(Rejected):
        mailbox_import.choose(upload, meaning, "both")


def test_a_run_that_stopped_goes_on_and_does_nothing_twice() -> None:
    a_domain()
    rows = mailbox_import.STEP_ROWS + 20
    upload = run_steps(an_upload("address", *(f"user{n}@example.org" for n in range(rows))))
    mailbox_import.start(upload)
    assert step(upload)
    assert Mailbox.objects.count() == mailbox_import.STEP_ROWS
    run_steps(MailboxImport.objects.get(pk=upload.pk))
    assert Mailbox.objects.count() == rows
    assert AuditEntry.objects.filter(verb="mailbox.create").count() == rows
    assert not step(upload)


def test_nothing_runs_unchecked_and_nothing_is_chosen_again_behind_a_run() -> None:
    a_domain()
    upload = an_upload("address", "ann@example.org")
    with pytest.raises(Rejected, match="not been checked"):
        mailbox_import.start(upload)
    check_and_run(upload)
    with pytest.raises(Rejected, match="already"):
        mailbox_import.choose(upload, upload.meaning, "both")


def test_a_step_takes_no_more_slow_hashes_than_somebody_waits_for(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = [PATH]
    a_domain()
    lines = [f"user{n}@example.org,{PASSWORD if n % 2 else ''}" for n in range(3 * mailbox_import_step.PASSWORDS_MOST)]
    upload = run_steps(an_upload("address,password", *lines))
    mailbox_import.start(upload)
    assert step(upload)
    with_password = User.objects.exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX)
    assert with_password.count() == mailbox_import_step.PASSWORDS_MOST
    run_steps(upload)
    assert (with_password.count(), User.objects.count()) == (len(lines) // 2, len(lines))


def test_policies_are_named_and_an_unknown_one_is_its_cells_fault() -> None:
    a_domain()
    policies.ensure("short", actor=ACTOR, expire_days=30)
    lines = ("ann@example.org,short", "bob@example.org,none", "chloe@example.org,shoe")
    upload = check_and_run(an_upload("address,policy", *lines))
    assert Mailbox.objects.get(user__address="ann@example.org").policy == policies.get("short")
    assert results(upload)[2] == (4, "wrong", "policy", "there is no retention policy shoe")


def test_a_step_takes_as_many_statements_for_many_rows_as_for_few(django_assert_max_num_queries: Any) -> None:
    a_domain()
    for name, rows in (("few", 2), ("many", 300)):
        upload = an_upload("address,name", *(f"{name}{n}@example.org,Somebody" for n in range(rows)))
        with django_assert_max_num_queries(18):
            assert not step(upload)
        mailbox_import.start(upload)
        with django_assert_max_num_queries(26):
            assert not step(upload)


def test_a_check_keeps_each_cell_before_and_after_but_no_password_or_notes() -> None:
    a_domain()
    mailboxes.ensure("ann@example.org", actor=ACTOR, name="Ann", notes="pays late")
    upload = run_steps(
        an_upload(
            "address,name,quota,notes,password",
            f"ann@example.org,Ann Smith,1GB,pays now,{PASSWORD}",
            "bob@example.org,Bob,,,",
        )
    )
    ann, bob = (mailbox_import_changes.read(detail) for _line, _fate, _column, detail in results(upload))
    assert ann == [
        CellChange("name", "Ann", "Ann Smith"),
        CellChange("quota_octets", "none", str(2**30)),
        CellChange("notes", None, None),
        CellChange("password", None, None),
    ]
    assert bob == [CellChange("name", None, "Bob")]


def undo(upload: MailboxImport, domains: Collection[str] | None = None) -> list[str]:
    while mailbox_import_undo.step(upload, actor=ACTOR, domains=domains):
        pass
    return [detail for _line, _fate, _column, detail in results(upload)]


def test_an_import_is_undone_row_by_row_but_for_what_somebody_has_changed_since() -> None:
    a_mailbox("ann@example.org")
    a_mailbox("cat@example.org")
    own = policies.make("Brief", actor=ACTOR)
    mailboxes.ensure("ann@example.org", actor=ACTOR, name="Ann", policy=own)
    lines = ("ann@example.org,Ann Smith,1GB,none", "bob@example.org,Bob,,", "cat@example.org,Cat,1GB,")
    upload = check_and_run(an_upload("address,name,quota,policy", *lines))
    mailboxes.ensure("cat@example.org", actor=ACTOR, quota_octets=5)
    assert undo(upload) == [
        "undone: it is as it was before",
        "undone: the mailbox is removed",
        "somebody has changed it since then: not undone",
    ]
    ann, bob, cat = Mailbox.objects.order_by("user__address").select_related("user", "policy")
    assert (ann.user.name, ann.quota_octets, ann.policy) == ("Ann", None, own)
    assert (bob.removed_at is None, cat.quota_octets) == (False, 5)
    assert not mailbox_import_undo.waiting(upload).exists()
    assert undo(upload)[0] == "undone: it is as it was before", "once"


def test_an_undo_reaches_only_domains_of_its_actor_and_says_what_it_cannot_set_back() -> None:
    a_mailbox("ann@example.org")
    upload = check_and_run(
        an_upload("address,password,name", f"ann@example.org,{PASSWORD} 2,Ann", "bob@example.org,,Bob")
    )
    other = check_and_run(an_upload("address,password", "ann@example.org,another phrase of hers"))
    assert undo(upload, {"other.org"}) == ["example.org is not one of your domains."] * 2
    assert undo(other) == ["former passwords and notes are not kept: not undone"]
    assert Mailbox.objects.filter(removed_at=None).count() == 2


def test_an_undo_leaves_new_mailboxes_that_somebody_has_made_anew_or_changed_since() -> None:
    a_domain()
    lines = [f"zoe{number}@example.org,1GB" for number in range(1, 5)]
    upload = check_and_run(an_upload("address,quota", *lines))
    mailbox_removal.remove("zoe1@example.org", actor=ACTOR, with_mail=True)
    mailbox_removal.purge_now("zoe1@example.org", actor=ACTOR)
    mailboxes.ensure("zoe1@example.org", actor=ACTOR, quota_octets=2**30)
    mailboxes.ensure("zoe2@example.org", actor=ACTOR, quota_octets=7 * 2**30)
    mailbox_removal.remove("zoe3@example.org", actor=ACTOR, with_mail=True)
    assert undo(upload) == [
        "the mailbox zoe1@example.org was deleted for good: not undone",
        "somebody has changed it since then: not undone",
        results(upload)[2][3],
        "undone: the mailbox is removed",
    ]
    assert "zoe3@example.org was removed on" in results(upload)[2][3]
    left = Mailbox.objects.filter(removed_at=None).order_by("user__address")
    assert [box.user.address for box in left] == ["zoe1@example.org", "zoe2@example.org"]


def test_an_undo_gives_no_former_values_to_a_mailbox_that_was_made_anew() -> None:
    a_mailbox("ann@example.org")
    upload = check_and_run(an_upload("address,quota", "ann@example.org,1GB"))
    mailbox_removal.remove("ann@example.org", actor=ACTOR, with_mail=True)
    mailbox_removal.purge_now("ann@example.org", actor=ACTOR)
    mailboxes.ensure("ann@example.org", actor=ACTOR, quota_octets=2**30)
    assert undo(upload) == ["the mailbox ann@example.org was deleted for good: not undone"]
    assert Mailbox.objects.get().quota_octets == 2**30


def test_what_was_renamed_since_an_import_is_undone_all_the_same_and_gets_its_password() -> None:
    a_mailbox("ann@example.org")
    upload = check_and_run(an_upload("address,quota", "ann@example.org,1GB", "bob@example.org,1GB"))
    mailbox_rename.rename("ann@example.org", "anna@example.org", actor=ACTOR)
    domain_rename.rename("example.org", "example.com", actor=ACTOR)
    assert [address for address, _password in hand_out(upload, {"example.com"})] == ["bob@example.com"]
    assert undo(upload, {"example.com"}) == [
        "undone: it is as it was before",
        "undone: the mailbox is removed",
    ]
    assert Mailbox.objects.get(removed_at=None).quota_octets is None


def test_a_mailbox_that_is_still_at_its_old_server_has_its_password_there() -> None:
    a_domain(old_server="pop3s://mail.old.example")
    upload = check_and_run(an_upload("address", "ann@example.org", "bob@example.org"))
    mailbox_moves.mark("ann@example.org", actor=ACTOR)
    assert [address for address, _password in hand_out(upload, {"example.org"})] == ["bob@example.org"]


def test_a_mailbox_that_went_to_another_domain_is_no_longer_in_reach() -> None:
    a_domain("other.org")
    a_domain()
    upload = check_and_run(an_upload("address", "ann@example.org"))
    mailbox_rename.rename("ann@example.org", "ann@other.org", actor=ACTOR)
    assert hand_out(upload, {"example.org"}) == []
    assert undo(upload, {"example.org"}) == ["example.org is not one of your domains."]
    assert Mailbox.objects.get().removed_at is None


def test_what_only_reads_a_new_mailbox_does_not_keep_it() -> None:
    a_domain()
    upload = check_and_run(an_upload("address", "ann@example.org"))
    box = Mailbox.objects.get()
    for verb in ("denied", "mailbox.export", "mailbox.hashes", "mailbox.invite"):
        audit.record(ACTOR, verb, str(box), mailbox=box)
    assert undo(upload) == ["undone: the mailbox is removed"]


@pytest.mark.parametrize(("messages", "says"), [(1, "its 1 message rests with it"), (2, "its 2 messages rest with it")])
def test_a_new_mailbox_rests_with_the_mail_that_has_come_since_and_the_row_says_so(messages: int, says: str) -> None:
    a_domain()
    upload = check_and_run(an_upload("address", "ann@example.org"))
    Mailbox.objects.update(messages=messages)
    assert undo(upload) == [f"undone: the mailbox is removed, {says}"]


@pytest.mark.django_db(transaction=True)
def test_what_a_colleague_changes_while_an_undo_reads_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    a_mailbox("ann@example.org")
    upload = check_and_run(an_upload("address,quota", "ann@example.org,1GB"))
    change = partial(mailboxes.ensure, "ann@example.org", actor=ACTOR, quota_octets=5)
    colleague = Thread(target=at_once, args=[change])
    ensure = mailbox_batch.ensure

    def late(*args: Any, **kwargs: Any) -> list[mailbox_batch.Answer]:
        monkeypatch.undo()
        colleague.start()
        colleague.join(0.5)  # it has saved by now, unless it waits for the undo
        return ensure(*args, **kwargs)

    monkeypatch.setattr(mailbox_batch, "ensure", late)
    undo(upload)
    colleague.join()
    assert Mailbox.objects.get().quota_octets == 5


def test_an_undo_has_one_entry_in_the_audit_and_those_of_its_mailboxes_are_part_of_the_import() -> None:
    a_mailbox("ann@example.org")
    lines = ("ann@example.org,1GB", "bob@example.org,", "cat@example.org,")
    upload = check_and_run(an_upload("address,quota", *lines))
    mailboxes.ensure("cat@example.org", actor=ACTOR, name="Cat")
    last = AuditEntry.objects.latest("pk").pk
    undo(upload)
    undo(upload)
    entries = AuditEntry.objects.filter(pk__gt=last).order_by("pk")
    assert [entry.verb for entry in entries] == ["mailbox.change", "mailbox.remove", "mailbox_import.undone"]
    assert {entry.details["import"] for entry in entries} == {upload.pk}
    assert entries[2].subject == "people.csv"
    assert entries[2].details == {"mailboxes_removed": 1, "set_back": 1, "not_undone": 1, "import": upload.pk}


def test_an_import_that_has_not_ended_is_not_undone() -> None:
    a_domain()
    upload = run_steps(an_upload("address", "ann@example.org"))
    with pytest.raises(Rejected, match="has not ended yet"):
        mailbox_import_undo.step(upload, actor=ACTOR, domains=None)


@pytest.mark.parametrize(
    ("program", "header", "meaning"),
    [
        (
            "postfixadmin",
            "username,password,name,maildir,quota,active",
            ["address", "password", "name", "", "quota_octets", "active"],
        ),
        ("modoboa", "Mail address,Name,Quota", ["address", "name", "quota_octets"]),
        ("mailcow", "Username,Full name,Quota,Active", ["address", "name", "quota_octets", "active"]),
        ("mailcow", "local_part,domain,name,quota", ["local_part", "domain", "name", "quota_octets"]),
        (
            "postfixadmin",
            "username,name,quota,local_part,domain",
            ["address", "name", "quota_octets", "", ""],
        ),
        ("cpanel", "Email,Password,Quota", ["address", "password", "quota_octets"]),
    ],
)
def test_a_preset_chooses_the_columns_of_another_program(program: str, header: str, meaning: list[str]) -> None:
    upload = mailbox_import.bring_in(f"{header}\nx{',' * header.count(',')}\n".encode(), "x.csv", owner=None)
    mailbox_import.use_preset(upload, program)
    upload.refresh_from_db()
    assert upload.meaning == meaning


def test_a_preset_without_its_address_column_changes_nothing() -> None:
    upload = mailbox_import.bring_in(b"address,name\na@example.org,x\n", "x.csv", owner=None)
    with pytest.raises(Rejected, match="no column of this file has the name that cPanel gives"):
        mailbox_import.use_preset(upload, "cpanel")
    with pytest.raises(Rejected, match="one of the listed programs"):
        mailbox_import.use_preset(upload, "exchange")
    upload.refresh_from_db()
    assert (upload.meaning, upload.mode) == (["address", "name"], "create")
