"""`import`: the shell brings in files as the pages do, names each wrong row, and says how to undo it."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from mailstore.models import Alias, Mailbox, MailboxImport, RetentionPolicy, User
from mailstore.transfer import mailbox_import
from tests.site.rows import ACTOR, PASSWORD, a_domain, a_mailbox

pytestmark = pytest.mark.django_db


def run(*words: Any, **options: Any) -> str:
    out = StringIO()
    call_command("import", *(str(word) for word in words), stdout=out, **options)
    return out.getvalue()


def a_file(folder: Path, *lines: str) -> Path:
    path = folder / "people.csv"
    path.write_text("\n".join(lines))
    return path


def test_a_file_becomes_mailboxes_and_the_command_that_undoes_it_is_printed(tmp_path: Path) -> None:
    a_domain()
    out = run(a_file(tmp_path, "address,password", f"ann@example.org,{PASSWORD}", "bob@example.org,"))
    number = MailboxImport.objects.get().pk
    assert "2 new, 0 changed, 0 left as they are, 0 wrong" in out
    assert f"1 mailbox has no password yet: popadmin import --passwords {number}" in out
    assert f"to undo it: popadmin import --undo {number}" in out
    assert User.objects.get(address="ann@example.org").check_password(PASSWORD)
    address, password = run("--passwords", number).splitlines()[1].split(",")
    assert User.objects.get(address=address).check_password(password)
    with pytest.raises(CommandError, match="already been taken"):
        run("--passwords", number)
    assert "line 2, ann@example.org: undone: the mailbox is removed" in run("--undo", number)
    assert Mailbox.objects.filter(removed_at=None).count() == 0


def test_a_dry_run_changes_nothing_and_names_line_address_and_column_of_a_wrong_row(tmp_path: Path) -> None:
    a_domain()
    path = a_file(tmp_path, "sep=;", "address;quota", "ann@example.org;1GB", "bob@example.org;1024")
    out = StringIO()
    with pytest.raises(CommandError, match="1 row is wrong") as refusal:
        call_command("import", str(path), "--dry-run", stdout=out)
    assert refusal.value.returncode == 1
    assert "line 4, bob@example.org, quota: 1024 could be 1024 bytes or 1024 MB" in out.getvalue()
    assert not Mailbox.objects.exists()
    assert not MailboxImport.objects.exists()
    assert "2 new" in run(path, "--dry-run", "--unit", "MB")


def test_json_has_each_row_and_how_to_undo_it(tmp_path: Path) -> None:
    a_mailbox("ann@example.org")
    path = a_file(tmp_path, "address,goto", "info@example.org,ann@example.org lost@example.org")
    found = json.loads(run(path, "--json"))
    assert (found["kind"], found["create"], found["wrong"]) == ("aliases", 1, 0)
    (row,) = found["results"]
    assert (row["line"], row["kind"], row["address"], row["result"]) == (2, "alias", "info@example.org", "create")
    assert found["undo"] == f"popadmin import --undo {found['import']}"
    assert Alias.objects.get().targets == ["ann@example.org", "lost@example.org"]
    checked = json.loads(run(a_file(tmp_path, "address,goto", "x@example.org,gone@example.org"), "--json", "--dry-run"))
    assert checked["results"][0]["leads_to_nobody"] == ["gone@example.org"]


def test_aliases_are_never_taken_for_mailboxes_even_on_request(tmp_path: Path) -> None:
    a_domain()
    with pytest.raises(CommandError, match="file of aliases"):
        run(a_file(tmp_path, "address,goto", "info@example.org,ann@example.org"), "--kind", "mailboxes")
    assert not MailboxImport.objects.exists()


def test_nothing_is_kept_of_a_file_whose_rows_are_all_wrong(tmp_path: Path) -> None:
    """Its cells may hold passwords."""
    with pytest.raises(CommandError, match="1 row is wrong"):
        run(a_file(tmp_path, "address,password", f"ann@nowhere.example,{PASSWORD}"))
    assert not MailboxImport.objects.exists()


def test_an_import_that_was_interrupted_goes_on() -> None:
    a_domain()
    upload = mailbox_import.bring_in(b"address\nann@example.org\nbob@example.org\n", "people.csv", owner=None)
    mailbox_import.choose(upload, upload.meaning, "create")
    with pytest.raises(CommandError, match="was not interrupted"):
        run("--resume", upload.pk)
    while mailbox_import.step(upload, actor=ACTOR, domains=None, policies=RetentionPolicy.objects.all()):
        pass
    mailbox_import.start(upload)
    assert "2 new" in run("--resume", upload.pk)
    assert Mailbox.objects.count() == 2


def test_existing_passwords_may_be_weak(tmp_path: Path) -> None:
    a_domain()
    run(a_file(tmp_path, "address,password", "ann@example.org,sesame"), "--existing-passwords")
    user = User.objects.get()
    assert (user.check_password("sesame"), user.must_change_password) == (True, True)


def test_a_file_that_is_not_there_is_a_wrong_use() -> None:
    with pytest.raises(CommandError, match="No such file") as refusal:
        run("/nonexistent/people.csv")
    assert refusal.value.returncode == 2


def test_an_import_that_nobody_knows_is_not_undone() -> None:
    with pytest.raises(CommandError, match="there is no import 12"):
        run("--undo", 12)
