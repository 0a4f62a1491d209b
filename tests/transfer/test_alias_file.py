"""A file of aliases or forwards is never taken for one of mailboxes, whichever program has written it."""

from __future__ import annotations

import re

import pytest
from django.utils import translation

from mailstore.directory.outcome import Rejected
from mailstore.models import MailboxImport
from mailstore.transfer import csv_table, mailbox_import
from popadmin.panel.views.aliases import Aliases
from popadmin.panel.views.mailboxes import Mailboxes

pytestmark = pytest.mark.django_db


def bring_in(*lines: str) -> MailboxImport:
    return mailbox_import.bring_in("\n".join(lines).encode(), "people.csv", owner=None)


def as_mailboxes(upload: MailboxImport) -> None:
    mailbox_import.use_kind(upload, "mailboxes")


@pytest.mark.parametrize(
    ("column", "lines"),
    [
        ("goto", ["address,goto,domain,active", "info@example.org,ann@example.org,example.org,1"]),
        ("goto", ["id;address;goto", "1;info@example.org;ann@example.org"]),
        ("Forward", ["Email,Password,Forward", "ann@example.org,,ann@elsewhere.example"]),
        ("forward_to", ["address,forward_to", "ann@example.org,ann@elsewhere.example"]),
        ("alias", ["alias,address", "info@example.org,ann@example.org"]),
        ("Target", ["Source,Target", "info@example.org,ann@example.org"]),
        ("destination", ["source,destination", "info@example.org,ann@example.org"]),
        ("Redirection", ["adresse;Redirection", "info@example.org;ann@example.org"]),
        ("Transférer vers", ["Adresse;Transférer vers", "info@example.org;ann@example.org"]),
        ("forwards_to", ["address,password,forwards_to", "ann@example.org,,ann@elsewhere.example"]),
        ("Destination address", ["address,Destination address", "info@example.org,ann@example.org"]),
        ("Recipients", ["address,Recipients", "info@example.org,ann@example.org bob@example.org"]),
    ],
)
def test_a_column_of_targets_refuses_the_file_and_is_named(column: str, lines: list[str]) -> None:
    with pytest.raises(Rejected, match=rf"the column {column} says where mail is forwarded.*file of aliases"):
        as_mailboxes(bring_in(*lines))
    assert MailboxImport.objects.get().kind == "aliases"


@pytest.mark.parametrize(
    "column",
    [
        "send to",
        "Send_To",
        "SendTo",
        "members",
        "Member",
        "recipients",
        "Recipient",
        "destination",
        "destination(s)",
        "Destination Address",
        "redirect",
        "Redirect-To",
        "forward to",
        "FORWARD_TO",
        "forwarding address",
        "ForwardingAddresses",
        "Envoyer à",
        "membres",
        "Adresse de redirection",
    ],
)
def test_a_column_of_targets_is_known_by_its_name_however_it_is_spelt_and_whatever_it_holds(column: str) -> None:
    for targets in ("ann@example.org", "ann", "ann;bob"):
        with pytest.raises(Rejected, match=rf"the column {re.escape(column)} says where mail is forwarded"):
            as_mailboxes(bring_in(f"address,{column}", f"info@example.org,{targets}"))


def test_a_column_of_targets_refuses_the_file_also_where_its_first_line_becomes_the_names_later() -> None:
    upload = bring_in("address@domain,goto,comment", "info@example.org,ann@example.org,Our desk")
    assert (any(upload.header), upload.kind) == (False, "mailboxes")
    mailbox_import.turn_first_line(upload)
    with pytest.raises(Rejected, match="the column goto says where mail is forwarded"):
        as_mailboxes(upload)
    upload.refresh_from_db()
    assert upload.kind == "aliases"


def test_a_row_that_is_an_alias_refuses_the_file_also_where_its_first_line_is_data_later() -> None:
    upload = bring_in("address,towards", "info@example.org,ann@example.org")
    mailbox_import.turn_first_line(upload)
    upload.refresh_from_db()
    assert upload.kind == "aliases"
    with pytest.raises(Rejected, match="line 2 is an alias and its targets"):
        as_mailboxes(upload)


@pytest.mark.parametrize(
    ("line", "lines"),
    [
        (1, ["info@example.org,ann@example.org"]),
        (1, ["info@example.org\tann@example.org, bob@example.org"]),
        (2, ["ann@example.org,Ann", "@example.org,ann@example.org"]),
        (2, ["from,to", "info@example.org,ann@example.org"]),
    ],
)
def test_a_row_that_is_an_alias_refuses_the_file_and_is_named(line: int, lines: list[str]) -> None:
    with pytest.raises(Rejected, match=rf"line {line} is an alias and its targets"):
        as_mailboxes(bring_in(*lines))
    assert MailboxImport.objects.get().kind == "aliases"


@pytest.mark.parametrize(
    "lines",
    [
        ["alias;info@example.org;True;ann@example.org"],
        ["forward; info@example.org; True; ann@elsewhere.example"],
        ["account;ann@example.org;secret", "dlist;all@example.org;True;ann@example.org;bob@example.org"],
        ["domain;example.org;100", "account;ann@example.org;secret", "alias;info@example.org;True;ann@example.org"],
        ["type,address,towards", "alias,info@example.org,ann@example.org"],
    ],
)
def test_a_file_whose_rows_say_what_they_are_is_refused_as_one_of_mailboxes(lines: list[str]) -> None:
    upload = bring_in(*lines)
    assert upload.kind == "mixed"
    with pytest.raises(Rejected, match="to import mailboxes, delete"):
        as_mailboxes(upload)


@pytest.mark.parametrize(
    "lines",
    [
        ["address,name", "ann@example.org,Forward"],
        ["name,address", "Alias,ann@example.org"],
        ["address,goto", "ann@example.org,"],
        ["address,private address", "ann@example.org,ann@elsewhere.example"],
        ["address,forwarding allowed,aliases at most", "ann@example.org,yes,5"],
        ["ann@example.org,Ann,ann@elsewhere.example"],
        ["account;ann@example.org;secret", "account;bob@example.org;secret"],
    ],
)
def test_a_file_of_mailboxes_is_taken_whatever_stands_in_its_other_columns(lines: list[str]) -> None:
    assert bring_in(*lines).meaning.count("address") == 1


@pytest.mark.parametrize("language", ["en", "fr"])
def test_of_our_own_exports_that_of_mailboxes_is_taken_and_that_of_aliases_is_not(language: str) -> None:
    with translation.override(language):
        mailboxes, aliases = ([str(one.heading) for one in page.exported] for page in (Mailboxes, Aliases))
    people = b"".join(csv_table.write(mailboxes, [["ann@example.org"]]))
    assert mailbox_import.bring_in(people, "mailboxes.csv", owner=None).kind == "mailboxes"
    names = b"".join(csv_table.write(aliases, [["info@example.org", "ann@example.org"]]))
    upload = mailbox_import.bring_in(names, "aliases.csv", owner=None)
    assert upload.meaning[:2] == ["address", "targets"]
    with pytest.raises(Rejected, match="file of aliases"):
        as_mailboxes(upload)
