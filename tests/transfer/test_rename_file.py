"""A file of new addresses: mailboxes are renamed together, with check, run and undo."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from mailstore.directory import aliases, mailbox_rename
from mailstore.models import Alias, AuditEntry, Mailbox, MailboxImport, MailboxImportRow, User
from mailstore.transfer import mailbox_import, mailbox_import_undo
from tests.site.page_users import an_admin, signed_in
from tests.site.rows import ACTOR, a_domain, a_mailbox
from tests.transfer.test_mailbox_import import run_steps

pytestmark = pytest.mark.django_db


def checked(*lines: str, domains: set[str] | None = None) -> MailboxImport:
    upload = mailbox_import.bring_in("\n".join(lines).encode(), "names.csv", owner=None)
    mailbox_import.choose(upload, upload.meaning, "update")
    return run_steps(upload, domains)


def carried_out(*lines: str) -> MailboxImport:
    upload = checked(*lines)
    mailbox_import.start(upload)
    return run_steps(upload)


def rows(upload: MailboxImport) -> list[tuple[str, str, str]]:
    found = MailboxImportRow.objects.filter(mailbox_import=upload).order_by("line")
    return [(row.address, row.fate, row.detail) for row in found]


def addresses() -> set[str]:
    return set(Mailbox.objects.values_list("user__address", flat=True))


@pytest.mark.parametrize("header", ["old,new", "Old address;New address", "Ancienne adresse;Nouvelle adresse"])
def test_mailboxes_get_their_new_addresses_and_the_old_ones_lead_on(header: str) -> None:
    ann = a_mailbox("ann@example.org")
    a_mailbox("bob@example.org")
    between = ";" if ";" in header else ","
    pairs = (("ANN@example.org", "ann.smith@example.org"), ("bob@example.org", "rob@example.org"))
    upload = carried_out(header, *(between.join(pair) for pair in pairs))
    assert (upload.kind, upload.stage) == ("renames", "done")
    assert addresses() == {"ann.smith@example.org", "rob@example.org"}
    assert User.objects.get(pk=ann.user_id).address == "ann.smith@example.org"
    assert Alias.objects.get(address="ann@example.org").targets == ["ann.smith@example.org"]
    while mailbox_import_undo.step(upload, actor=ACTOR, domains=None):
        pass
    assert addresses() == {"ann@example.org", "bob@example.org"}
    assert not Alias.objects.exists()
    facts = AuditEntry.objects.get(verb="mailbox_import.undone").details
    assert (facts["not_undone"], facts["mailboxes_removed"]) == (0, 0)


def test_the_check_says_what_would_go_wrong_and_changes_nothing() -> None:
    for name in ("ann", "bob", "cid"):
        a_mailbox(f"{name}@example.org")
    a_domain("other.org")
    pairs = (("ann", "bob@example.org"), ("bob", "bob@other.org"), ("cid", ""), ("eve", "e@example.org"))
    lines = [f"{name}@example.org,{new}" for name, new in pairs]
    found = rows(checked("old,new", *lines))
    assert [fate for _address, fate, _detail in found] == ["wrong", "change", "wrong", "wrong"]
    assert found[0][2] == "bob@example.org is already a mailbox"
    assert "not a mailbox" in found[3][2]
    assert addresses() == {"ann@example.org", "bob@example.org", "cid@example.org"}
    assert [fate for _address, fate, _detail in rows(checked("old,new", *lines, domains={"example.org"}))][1] == "wrong"


def test_a_mailbox_that_got_another_name_since_keeps_it() -> None:
    a_mailbox("ann@example.org")
    upload = carried_out("old,new", "ann@example.org,ann.smith@example.org")
    mailbox_rename.rename("ann.smith@example.org", "ann.jones@example.org", actor=ACTOR)
    while mailbox_import_undo.step(upload, actor=ACTOR, domains=None):
        pass
    assert addresses() == {"ann.jones@example.org"}
    assert "something newer was done to it" in rows(upload)[0][2]


def test_the_same_file_again_changes_nothing() -> None:
    a_mailbox("ann@example.org")
    lines = ("old,new", "ann@example.org,ann.smith@example.org")
    carried_out(*lines)
    assert rows(checked(*lines)) == [("ann@example.org", "same", "")]


def test_the_page_checks_runs_and_undoes_it() -> None:
    an_admin()
    a_mailbox("ann@example.org")
    root = signed_in("root")
    file = b"old,new\nann@example.org,ann.smith@example.org\n"
    upload = mailbox_import.bring_in(file, "names.csv", owner=User.objects.get(address="root"))
    columns = f"/mailboxes/import/{upload.pk}/columns/"
    page = root.get(columns).content.decode()
    assert 'name="mode" value="update"' in page
    assert "What to do" not in page
    page = root.post(columns, {"mode": "update", "column0": "address", "column1": "new_address"}).url
    for act in ("", "start/"):
        if act:
            root.post(f"{page}{act}")
        while json.loads(root.post(f"{page}step/", headers={"accept": "application/json"}).content)["running"]:
            pass
        text = root.get(page).content.decode()
        assert '<del class="quiet">ann@example.org</del>' in text
    assert addresses() == {"ann.smith@example.org"}
    assert "Undo the import" in text


def test_the_shell_checks_it_too(tmp_path: Path) -> None:
    a_mailbox("ann@example.org")
    aliases.ensure("info@example.org", ["ann@example.org"], actor=ACTOR)
    file = tmp_path / "names.csv"
    file.write_text("old,new\nann@example.org,info@example.org\nbob@example.org,b@example.org\n")
    out = StringIO()
    with pytest.raises(CommandError, match="1 row is wrong"):
        call_command("import", str(file), "--dry-run", stdout=out)
    assert "names.csv (renames): checked, nothing is changed: 0 new, 1 changed" in out.getvalue()
    assert addresses() == {"ann@example.org"}
