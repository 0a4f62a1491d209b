"""The import of mailboxes on the pages: nothing changes before the check; passwords are shown once."""

from __future__ import annotations

import itertools
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.html import strip_tags

from mailstore.directory import domains, grants, policies
from mailstore.models import Alias, AuditEntry, Mailbox, MailboxImport, MailboxImportRow, User
from mailstore.transfer import csv_table
from tests.site.page_users import ANN, an_admin, an_owner, signed_in
from tests.site.rows import ACTOR, PASSWORD, a_domain

pytestmark = pytest.mark.django_db
IMPORT = "/mailboxes/import/"


@pytest.fixture
def root() -> Client:
    an_admin()
    a_domain()
    return signed_in("root")


def upload_file(client: Client, data: bytes, name: str = "people.csv") -> str:
    """Upload a file; returns the page of its columns."""
    answer = client.post(IMPORT, {"file": SimpleUploadedFile(name, data)})
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def upload_and_check(client: Client, data: bytes, mode: str = "both") -> str:
    """Upload a file and check its rows; returns the page of the rows."""
    columns = upload_file(client, data)
    form = client.get(columns).context["form"]
    answer = client.post(columns, {name: field.initial for name, field in form.fields.items()} | {"mode": mode})
    page = str(answer["Location"])
    run_steps(client, page)
    return page


def run_steps(client: Client, page: str) -> None:
    while client.post(f"{page}step/", headers={"accept": "application/json"}).json()["running"]:
        pass


def test_a_file_of_aliases_is_known_as_one_checked_carried_out_and_undone(root: Client) -> None:
    page = upload_and_check(root, b"address,goto\ninfo@example.org,lost@example.org\n", mode="create")
    text = strip_tags(root.get(page).content.decode())
    assert "lost@example.org leads to nobody here." in text
    assert "1 alias has targets that lead to nobody" in text
    root.post(f"{page}start/")
    run_steps(root, page)
    assert Alias.objects.get().targets == ["lost@example.org"]
    root.post(f"{page}undo/")
    root.post(f"{page}undo/step/", headers={"accept": "application/json"})
    assert not Alias.objects.exists()


def test_a_file_of_aliases_is_never_taken_for_mailboxes(root: Client) -> None:
    columns = upload_file(root, b"address,goto\ninfo@example.org,ann@example.org\n")
    page = root.post(columns, {"kind": "mailboxes"}, follow=True).content.decode()
    assert "column goto says where mail is forwarded" in page
    assert MailboxImport.objects.get().kind == "aliases"


def test_the_unit_of_a_column_of_quotas_is_asked_for_once(root: Client) -> None:
    columns = upload_file(root, b"address,quota\nann@example.org,1024\nbob@example.org,0\n")
    form = root.get(columns).context["form"]
    chosen = {name: field.initial for name, field in form.fields.items()} | {"unit": "MB", "zero": "none"}
    page = root.post(columns, chosen)["Location"]
    run_steps(root, page)
    rows = MailboxImportRow.objects.order_by("line")
    assert [row.fate for row in rows] == ["create", "create"]
    assert "1 GB" in strip_tags(root.get(page).content.decode()).replace("\xa0", " ")


def test_a_file_becomes_mailboxes_whose_passwords_are_handed_out_once(root: Client) -> None:
    page = upload_and_check(
        root, "adresse;nom\nann@example.org;Ann\nbob@example.org;Chloé\nnobody;x\n".encode("latin-1")
    )
    assert not Mailbox.objects.exists()
    text = root.get(page).content.decode()
    assert "ann@example.org" in text
    assert "has no @" in text
    root.post(f"{page}start/")
    run_steps(root, page)
    assert User.objects.get(address="bob@example.org").name == "Chloé"
    file = root.post(f"{page}passwords/").content
    passwords = {row.cells[0]: row.cells[1] for row in csv_table.read(file).rows}
    assert User.objects.get(address="ann@example.org").check_password(passwords["ann@example.org"])
    assert root.post(f"{page}passwords/").status_code == 302
    assert AuditEntry.objects.filter(verb="mailbox_import.passwords").count() == 1


def test_without_a_script_a_button_makes_each_step(root: Client) -> None:
    page = upload_file(root, b"address\nann@example.org\n").removesuffix("columns/")
    root.post(f"{page}columns/", {"mode": "both", "column0": "address"})
    assert f'action="{page}step/"' in root.get(page).content.decode()
    answer = root.post(f"{page}step/", headers={"accept": "text/html"})
    assert answer["Location"] == page


@pytest.mark.parametrize("data", [b"", b"a,b\n1,2,3\n", b"\x00\x00", b"a" * (csv_table.OCTETS_AT_MOST + 1)])
def test_a_file_that_is_none_is_refused_beside_the_field(root: Client, data: bytes) -> None:
    answer = root.post(IMPORT, {"file": SimpleUploadedFile("x.csv", data)})
    assert answer.status_code == 200
    assert "field-error" in answer.content.decode()


def test_two_columns_cannot_hold_the_same_and_nothing_chosen_is_lost(root: Client) -> None:
    page = upload_file(root, b"a,b\nann@example.org,x\n")
    answer = root.post(page, {"mode": "update", "column0": "address", "column1": "address"}).content.decode()
    assert "Two columns cannot contain the same" in answer
    assert re.search(r'value="update"[^>]*checked', answer)


def test_a_file_is_its_owners_alone_and_a_try_is_told_to_the_audit(root: Client) -> None:
    page = upload_and_check(root, b"address\nann@example.org\n")
    an_owner("chief@example.org")
    grants.grant("chief@example.org", "example.org", actor=ACTOR)
    chief = signed_in("chief@example.org")
    assert {chief.get(page).status_code, chief.post(f"{page}start/").status_code} == {404}
    assert AuditEntry.objects.filter(verb="denied", actor_name="chief@example.org").count() == 2


def test_a_domain_admin_brings_in_mailboxes_of_his_domains_only(root: Client) -> None:
    a_domain("other.org")
    an_owner("chief@example.org")
    grants.grant("chief@example.org", "example.org", actor=ACTOR)
    chief = signed_in("chief@example.org")
    page = upload_and_check(chief, b"address\nann@example.org\nbob@other.org\n")
    chief.post(f"{page}start/")
    run_steps(chief, page)
    assert not Mailbox.objects.filter(user__address="bob@other.org").exists()
    assert Mailbox.objects.filter(user__address="ann@example.org").exists()


def test_what_is_wrong_with_a_row_is_told_with_the_column_that_is_to_blame(root: Client) -> None:
    domains.ensure("example.org", actor=ACTOR, mailbox_quota_most=10**9, mailbox_quota_default=10**6)
    an_owner("chief@example.org")
    grants.grant("chief@example.org", "example.org", actor=ACTOR)
    rows = [
        b"address,password,quota",
        b'"""q r""@example.org",,',
        b"a@example.org,,5GB",
        b"b@example.org,short,",
        b"c@nowhere.example,,",
        b"d@example.org,,lots",
    ]
    upload_and_check(signed_in("chief@example.org"), b"\n".join(rows) + b"\n")
    results = MailboxImportRow.objects.order_by("line").values_list("fate", "column")
    assert [column for fate, column in results if fate == "wrong"] == [
        "address", "quota", "password", "address", "quota"
    ]  # fmt: skip


def test_no_page_shows_a_password_of_the_file(root: Client) -> None:
    columns = upload_file(root, b"pwd,address\nsesame-open-1,ann@example.org\nsesame-open-2,nobody\n")
    answers = [root.get(columns), root.post(columns, {"mode": "both", "column0": "password", "column1": ""})]
    root.post(columns, {"mode": "both", "column0": "password", "column1": "address"})
    page = columns.removesuffix("columns/")
    answers.append(root.get(page))
    run_steps(root, page)
    answers += [root.get(page), root.get(columns)]
    root.post(f"{page}start/")
    run_steps(root, page)
    answers += [root.get(page), root.get(columns)]
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    assert not any("sesame" in answer.content.decode() for answer in answers)
    assert b"sesame" not in root.get(f"{page}?export=csv").getvalue()


def test_a_file_sets_no_password_of_who_administers_another_domain(root: Client) -> None:
    a_domain("other.org")
    for address, domain in (("chief@example.org", "example.org"), ("ann@example.org", "other.org")):
        an_owner(address)
        grants.grant(address, domain, actor=ACTOR)
    chief = signed_in("chief@example.org")
    page = upload_and_check(chief, b"address,password\nann@example.org,a phrase of the chief\nbob@example.org,\n")
    refusal = "ann@example.org administers other domains: ask a hosting admin"
    assert refusal in chief.get(page).content.decode()
    chief.post(f"{page}start/")
    run_steps(chief, page)
    assert User.objects.get(address="ann@example.org").check_password(PASSWORD)
    grants.grant("bob@example.org", "other.org", actor=ACTOR)
    assert chief.post(f"{page}passwords/").status_code == 302
    assert not User.objects.get(address="bob@example.org").has_usable_password()


def test_the_fates_can_be_filtered_and_taken_away_as_a_file(root: Client) -> None:
    page = upload_and_check(root, b"address\nann@example.org\nwrong\n")
    assert "ann@example.org" not in root.get(f"{page}?fate=wrong").content.decode().partition("<tbody")[2]
    assert b"no @" in root.get(f"{page}?export=csv").getvalue()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_an_export_that_is_brought_in_again_changes_nothing(root: Client, language: str) -> None:
    own = policies.make("=Brief, 'quoted'", actor=ACTOR)
    an_owner("=ann@example.org", name='\'=Ann "A" Ö', policy=own, quota_octets=1536 * 1024 + 1, quota_messages=9)
    an_owner("bob@example.org", suspended=True, receives=False, pop=False, web=False, main_pop=False)
    an_owner("held@example.org", held=True, notes="One line; then\nanother, with a\ttab")
    an_owner("plain@example.org")
    User.objects.update(language=language)
    root.cookies["django_language"] = language
    root.post("/language/", {"language": language})
    file = root.get("/mailboxes/?export=csv").getvalue()
    page = upload_and_check(root, file, mode="update")
    rows = root.get(page).context["page"].rows
    assert [(row.address, row.fate, row.detail) for row in rows] == [
        (address, "same", "")
        for address in ("=ann@example.org", "bob@example.org", "held@example.org", "plain@example.org")
    ]


def test_an_export_makes_the_same_mailboxes_where_they_are_gone(root: Client) -> None:
    own = policies.make("Brief", actor=ACTOR)
    an_owner(ANN, name="Ann", policy=own, quota_octets=None, held=True, notes="Old", receives=False, web=False)
    file = root.get("/mailboxes/?export=csv").getvalue()
    User.objects.filter(address=ANN).delete()
    page = upload_and_check(root, file, mode="create")
    root.post(f"{page}start/")
    run_steps(root, page)
    mailbox = Mailbox.objects.get()
    assert (mailbox.user.name, mailbox.policy, mailbox.quota_octets) == ("Ann", own, None)
    assert (mailbox.held, mailbox.notes, mailbox.receives, mailbox.web, mailbox.pop) == (
        True,
        "Old",
        False,
        False,
        True,
    )


def test_a_column_of_older_exports_that_no_mailbox_has_any_more_is_left_out(root: Client) -> None:
    columns = upload_file(root, b"Address,Name,Sends mail by SMTP\nann@example.org,Ann,no\n")
    form = root.get(columns).context["form"]
    assert [form.fields[f"column{number}"].initial for number in range(3)] == ["address", "name", ""]
    answer = root.post(columns, {"mode": "both", "column0": "address", "column1": "name", "column2": ""})
    run_steps(root, answer.url)
    root.post(f"{answer.url}start/")
    run_steps(root, answer.url)
    assert Mailbox.objects.get().user.name == "Ann"


def test_a_domain_admin_brings_his_export_in_again_but_sets_no_hold(root: Client) -> None:
    an_owner("chief@example.org")
    grants.grant("chief@example.org", "example.org", actor=ACTOR)
    an_owner("held@example.org", held=True)
    chief = signed_in("chief@example.org")
    page = upload_and_check(chief, chief.get("/mailboxes/?export=csv").getvalue(), mode="update")
    assert {row.fate for row in chief.get(page).context["page"].rows} == {"same"}
    page = upload_and_check(chief, b"address,hold\nheld@example.org,no\nchief@example.org,yes\nnew@example.org,yes\n")
    rows = chief.get(page).context["page"].rows
    assert [row.detail for row in rows] == ["only hosting admins can set or lift a hold"] * 3


def test_a_first_line_that_is_data_is_a_row_and_is_kept_nowhere_else(root: Client) -> None:
    columns = upload_file(root, b"ann@example.org,sesame-open-1\nbob@example.org,sesame-open-2\n")
    assert MailboxImport.objects.get().header == ["", ""]
    form = root.get(columns).context["form"]
    assert [field.label for name, field in form.fields.items() if name.startswith("column")] == ["Column 1", "Column 2"]
    assert form.fields["column0"].initial == "address"
    answer = root.post(columns, {"mode": "both", "column0": "address", "column1": "password"})
    run_steps(root, answer.url)
    root.post(f"{answer.url}start/")
    run_steps(root, answer.url)
    assert User.objects.get(address="ann@example.org").check_password("sesame-open-1")
    assert set(itertools.chain(*MailboxImportRow.objects.values_list("cells", flat=True))) == {""}


def test_a_first_line_is_turned_from_names_to_data_and_back(root: Client) -> None:
    columns = upload_file(root, b"ann,secret\nbob,hidden\n")
    assert "Use the first line as data" in root.get(columns).content.decode()
    assert root.post(columns, {"first": ""}).url == columns
    assert MailboxImport.objects.get().header == ["", ""]
    assert [row.cells[0] for row in MailboxImportRow.objects.order_by("line")] == ["ann", "bob"]
    assert "Use the first line as column names" in root.get(columns).content.decode()
    root.post(columns, {"first": ""})
    assert MailboxImport.objects.get().header == ["ann", "secret"]
    assert [row.cells[0] for row in MailboxImportRow.objects.order_by("line")] == ["bob"]


def test_the_first_line_of_one_line_alone_stays_a_row(root: Client) -> None:
    columns = upload_file(root, b"ann@example.org\n")
    assert "no rows below its first line" in root.post(columns, {"first": ""}, follow=True).content.decode()
    assert MailboxImport.objects.get().header == [""]


def test_the_first_line_of_what_was_carried_out_is_turned_no_more(root: Client) -> None:
    page = upload_and_check(root, b"address\nann@example.org\n")
    root.post(f"{page}start/")
    assert "already been imported" in root.post(f"{page}columns/", {"first": ""}, follow=True).content.decode()
    assert MailboxImport.objects.get().header == ["address"]


def test_by_default_only_new_mailboxes_are_made_and_the_others_are_left_as_they_are(root: Client) -> None:
    an_owner(ANN, name="Ann")
    columns = upload_file(root, b"address,name\nann@example.org,Annie\nbob@example.org,Bob\n")
    page = root.get(columns)
    assert re.search(r'value="create"[^>]*checked', page.content.decode())
    answer = root.post(columns, {name: field.initial for name, field in page.context["form"].fields.items()})
    run_steps(root, answer.url)
    assert "ann@example.org is already a mailbox" in root.get(answer.url).content.decode()
    root.post(f"{answer.url}start/")
    run_steps(root, answer.url)
    assert [*User.objects.filter(mailbox__isnull=False).order_by("address").values_list("name", flat=True)] == [
        "Ann",
        "Bob",
    ]


def test_the_check_shows_each_cell_before_and_after(root: Client) -> None:
    an_owner(ANN, name="Ann", quota_octets=2**30)
    page = upload_and_check(root, b"address,name,quota\nann@example.org,Annie,2GB\n")
    text = " ".join(strip_tags(root.get(page).content.decode()).split())
    assert "name: Ann → Annie · quota: 1 GB → 2 GB" in text.replace("\xa0", " ")
    file = root.get(f"{page}?export=csv").getvalue().decode().replace("\xa0", " ")
    assert "name: Ann → Annie; quota: 1 GB → 2 GB" in file


def test_the_check_warns_of_each_quota_that_leaves_no_room(root: Client) -> None:
    for name in ("ann", "bob"):
        an_owner(f"{name}@example.org", quota_octets=20 * 2**20)
    Mailbox.objects.update(octets=4_823_450, messages=3)
    rows = b"address,quota,messages\nann@example.org,1MB,\nbob@example.org,10MB,\nnew@example.org,1MB,\n"
    page = upload_and_check(root, rows)
    html = root.get(page).content.decode()
    text = " ".join(strip_tags(html).split()).replace("\xa0", " ")
    assert "1 mailbox contains as much as its new quota, or more: new mail will be refused" in text
    assert "quota: 20 MB → 1 MB It contains 4.6 MB, 3 messages: new mail will be refused until there is room." in text
    assert html.count('class="state warn"') == 1
    assert text.count("until there is room") == 2
    assert "→ 1 MB; It contains" in root.get(f"{page}?export=csv").getvalue().decode().replace("\xa0", " ")
    root.post(f"{page}start/")
    run_steps(root, page)
    root.post(f"{page}undo/")
    while root.post(f"{page}undo/step/", headers={"accept": "application/json"}).json()["running"]:
        pass
    assert set(Mailbox.objects.filter(removed_at=None).values_list("quota_octets", flat=True)) == {20 * 2**20}


def test_cells_are_hidden_until_somebody_says_what_their_column_holds(root: Client) -> None:
    columns = upload_file(root, b"address,geheim\nann@example.org,sesame-open-1\n")
    page = root.get(columns).content.decode()
    assert ("ann@example.org" in page, "sesame" in page) == (True, False)


def test_a_button_chooses_the_columns_of_another_program(root: Client) -> None:
    columns = upload_file(root, b"Email,Password,Quota\nann@example.org,x,2GB\n")
    assert root.post(columns, {"preset": "cpanel"}).url == columns
    assert MailboxImport.objects.get().meaning == ["address", "password", "quota_octets"]
    page = root.post(columns, {"preset": "mailcow"}, follow=True).content.decode()
    assert "that mailcow gives to the address" in page.replace("No column", "no column")


def operation(client: Client) -> str:
    """Return the row of the import in the recent operations."""
    rows = re.findall(r"<tr>.*?</tr>", client.get("/operations/").content.decode(), re.DOTALL)
    return next(row for row in rows if "imported the file" in row)


def test_an_import_is_undone_from_its_page_in_steps(root: Client) -> None:
    an_owner(ANN, name="Ann")
    page = upload_and_check(root, b"address,name\nann@example.org,Annie\nbob@example.org,Bob\n")
    assert f'action="{page}undo/"' not in root.get(page).content.decode()
    root.post(f"{page}start/")
    run_steps(root, page)
    assert f'action="{page}undo/"' in root.get(page).content.decode()
    assert f'href="{page}"' in operation(root)
    assert "Undo…" in operation(root)
    assert root.post(f"{page}undo/").url == page
    assert f'action="{page}undo/step/"' in root.get(page).content.decode()
    while root.post(f"{page}undo/step/", headers={"accept": "application/json"}).json()["running"]:
        pass
    assert "Import undone" in root.get(page).content.decode()
    assert "Already undone" in operation(root)
    undone, imported = root.get("/operations/").context["page"].rows  # no rows of single mailboxes
    assert (undone.text, undone.subject) == ("undid the import of the file", imported.subject)
    assert undone.way.label == "Restore…"
    assert User.objects.get(address=ANN).name == "Ann"
    assert Mailbox.objects.get(user__address="bob@example.org").removed_at is not None


def test_an_undo_is_its_owners_alone(root: Client) -> None:
    page = upload_and_check(root, b"address\nann@example.org\n")
    an_owner("chief@example.org")
    grants.grant("chief@example.org", "example.org", actor=ACTOR)
    chief = signed_in("chief@example.org")
    assert {chief.post(f"{page}undo/").status_code, chief.post(f"{page}undo/step/").status_code} == {404}
