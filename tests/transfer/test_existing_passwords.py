"""Passwords in files of mailboxes: a hash is a hash, a blank is no part of a new password, an apostrophe is."""

from __future__ import annotations

import pytest
from django.contrib.auth.hashers import check_password

from mailstore.directory.imported_hash import exported
from mailstore.models import MailboxImportRow, User
from mailstore.policy import foreign_hash
from mailstore.transfer import csv_table, mailbox_columns, mailbox_import, mailbox_import_step
from tests import doveadm
from tests.site.rows import PASSWORD, a_domain
from tests.transfer.test_mailbox_import import an_upload, check_and_run, results, run_steps, step

pytestmark = pytest.mark.django_db
SECRET = "Café2026!xk"
SHA = "{SHA}6gm4jsWoFH5igA6J+AlB2spqT1U="  # of SECRET
DES = "buOXVpHO4szIk"  # of SECRET


def quoted(cell: str) -> str:
    return f'"{cell}"'


@pytest.mark.real
def test_hashes_of_every_scheme_open_their_mailboxes_and_none_is_a_password() -> None:
    """The harm: the text of the hash became the password, so a leaked hash opened the mailbox."""
    a_domain()
    schemes = (*doveadm.HASHES, *doveadm.ENCODED)
    hashes = [doveadm.hash_of(scheme, SECRET) for scheme in schemes]
    lines = [f"user{n}@example.org,{quoted(text)}" for n, text in enumerate(hashes)]
    upload = check_and_run(an_upload("username,password", *lines))
    assert {fate for _line, fate, _column, _detail in results(upload)} == {"create"}
    for n, text in enumerate(hashes):
        encoded = User.objects.get(address=f"user{n}@example.org").password
        assert check_password(SECRET, encoded), schemes[n]
        assert not check_password(text, encoded)
    assert not MailboxImportRow.objects.filter(password_due=True).exists()


def test_a_hash_that_cannot_be_used_is_the_rows_fault_and_names_its_column() -> None:
    a_domain()
    lines = ["ann@example.org,{CRAM-MD5}" + "e" * 64, "bob@example.org,$6$rounds=999999$s$" + "x" * 86]
    (_l, fate, column, cram), (_m, _f, _c, dear) = results(run_steps(an_upload("address,password", *lines)))
    assert (fate, column) == ("wrong", "password")
    assert "CRAM-MD5" in cram
    assert "hold up" in dear


@pytest.mark.parametrize("heading", ["password_hash", "Password hash", "hash", "crypt"])
def test_a_column_of_hashes_takes_hashes_alone(heading: str) -> None:
    a_domain()
    lines = [f"ann@example.org,{SHA}", f"bob@example.org,{DES}", f"eve@example.org,{PASSWORD}", "zoe@example.org,"]
    upload = check_and_run(an_upload(f"address,{heading}", *lines))
    assert [fate for _line, fate, _column, _detail in results(upload)] == ["create", "create", "wrong", "create"]
    for address in ("ann@example.org", "bob@example.org"):
        assert check_password(SECRET, User.objects.get(address=address).password)
    assert list(MailboxImportRow.objects.filter(password_due=True).values_list("address", flat=True)) == [
        "zoe@example.org"
    ]


def test_thirteen_characters_in_a_column_of_passwords_are_a_password() -> None:
    a_domain()
    check_and_run(an_upload("address,password", f"ann@example.org,{DES}"))
    assert check_password(DES, User.objects.get().password)


def test_a_row_with_a_password_and_a_hash_is_refused() -> None:
    a_domain()
    upload = run_steps(an_upload("address,password,hash", f"ann@example.org,{PASSWORD},{SHA}"))
    ((_line, fate, column, detail),) = results(upload)
    assert (fate, column) == ("wrong", "hash")
    assert "both" in detail


def test_a_plain_password_with_its_scheme_is_hashed_at_once_and_asked_for_anew_if_it_is_weak() -> None:
    a_domain()
    check_and_run(
        an_upload("address,password", "ann@example.org,{PLAIN}sesame", f"bob@example.org,{{CLEAR}}{PASSWORD}")
    )
    ann, bob = User.objects.order_by("address")
    assert check_password("sesame", ann.password)
    assert not foreign_hash.is_stored(ann.password)
    assert (ann.must_change_password, bob.must_change_password) == (True, False)


@pytest.mark.parametrize("cell", [f'"{PASSWORD} "', f'" {PASSWORD}"', f" {PASSWORD}", f"{PASSWORD}\u00a0"])
def test_blanks_around_a_password_are_refused_in_the_words_of_the_pages(cell: str) -> None:
    """The harm: the file dropped them, so the password was another one than its owner sent."""
    a_domain()
    ((_line, fate, column, detail),) = results(run_steps(an_upload("address,password", f"ann@example.org,{cell}")))
    assert (fate, column) == ("wrong", "password")
    assert detail == "The password begins or ends with a blank: remove it."


def test_blanks_are_kept_where_no_column_has_a_name() -> None:
    a_domain()
    upload = mailbox_import.bring_in(f"ann@example.org , Ann,{PASSWORD} \n".encode(), "people.csv", owner=None)
    mailbox_import.choose(upload, ["address", "name", "password"], "both")
    ((_line, fate, _column, detail),) = results(run_steps(upload))
    assert (fate, detail) == ("wrong", "The password begins or ends with a blank: remove it.")
    MailboxImportRow.objects.update(cells=["ann@example.org ", " Ann", PASSWORD])
    mailbox_import.choose(upload, ["address", "name", "password"], "both")
    check_and_run(upload)
    assert User.objects.get().name == "Ann"


def test_blanks_around_other_cells_and_before_quotation_marks_are_dropped() -> None:
    a_domain()
    check_and_run(an_upload("address, name, password", f' ann@example.org , "Ann, Smith", "{PASSWORD}"'))
    user = User.objects.get()
    assert (user.address, user.name) == ("ann@example.org", "Ann, Smith")
    assert check_password(PASSWORD, user.password)


@pytest.mark.parametrize(
    "password", ["'=correct horse 2026", "'-correct horse 2026", "'+correct horse", "'tis a horse"]
)
def test_a_password_keeps_its_apostrophe_and_a_name_loses_ours(password: str) -> None:
    a_domain()
    (line,) = b"".join(csv_table.write(["x"], [["-Ann"]])).decode("utf-8-sig").splitlines()[1:]
    check_and_run(an_upload("address,name,password", f"ann@example.org,{line},{password}"))
    user = User.objects.get()
    assert user.name == "-Ann"
    assert check_password(password, user.password)


def test_a_cell_that_holds_blanks_alone_is_empty() -> None:
    a_domain()
    upload = check_and_run(an_upload("address,password", "ann@example.org,   "))
    assert MailboxImportRow.objects.get(mailbox_import=upload).password_due


def test_an_exported_hash_changes_nothing_when_it_comes_in_again() -> None:
    a_domain()
    check_and_run(an_upload("address,password", f"ann@example.org,{SHA}", f"bob@example.org,{PASSWORD}"))
    lines = [
        f'{user.address},"{mailbox_columns.cell("password_hash", user.mailbox)}"'
        for user in User.objects.order_by("address")
    ]
    assert exported(User.objects.first().password)
    assert fates("address,password_hash", *lines) == ["same", "same"]


def test_a_step_takes_many_rows_with_hashes_but_few_with_passwords_to_be_hashed() -> None:
    """The harm: the column `password` counted each hash as a slow one, so a file of hashes took many more steps."""
    a_domain()
    number = 3 * mailbox_import_step.PASSWORDS_MOST
    for heading, cell, taken in (
        ("password", SHA, number),
        ("hash", SHA, number),
        ("hash", f"{{PLAIN}}{PASSWORD}", mailbox_import_step.PASSWORDS_MOST),
    ):
        upload = an_upload(f"address,{heading}", *(f"user{n}@example.org,{cell}" for n in range(number)))
        step(upload)
        assert MailboxImportRow.objects.filter(mailbox_import=upload).exclude(fate="").count() == taken


def fates(*lines: str) -> list[str]:
    return [fate for _line, fate, _column, _detail in results(run_steps(an_upload(*lines)))]
