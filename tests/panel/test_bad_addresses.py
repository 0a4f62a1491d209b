"""Forms explain in the language of the reader what is wrong with an address or a domain."""

from __future__ import annotations

import html

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from mailstore.models import Domain
from tests.panel.test_domains import form_of
from tests.panel.test_mailbox_import import IMPORT, upload_and_check
from tests.site.page_users import ANN, an_admin, an_owner, signed_in
from tests.site.rows import PASSWORD, a_domain

pytestmark = pytest.mark.django_db
QUOTED, NO_DOMAIN = '"ann(b)"@example.org', "ann@nodots"
NO_ENDING = "l manque la fin de «\xa0nodots\xa0»"
FRENCH_ERRORS = {QUOTED: "les noms entre guillemets avant le @", NO_DOMAIN: NO_ENDING}
OF_ADDRESSES = [
    ("/mailboxes/new/", "address"),
    ("/aliases/new/", "address"),
    ("/aliases/new/", "targets"),
    ("/domains/{key}/catch-all/", "targets"),
    ("/domains/{key}/admins/new/", "login"),
    ("/admins/new/", "login"),
    ("/policies/choice/", "of"),
]
OF_DOMAINS = [("/domains/new/", "name"), ("/domains/new/", "stands_for"), ("/admins/new/", "domains")]
FILLED = {
    "login": "carla",
    "name": "new.example",
    "address": "info@example.org",
    "targets": ANN,
    "domains": "example.org",
}


@pytest.fixture
def root() -> Client:
    an_admin()
    a_domain()
    return in_french("root")


def in_french(name: str) -> Client:
    client = signed_in(name)
    client.post("/language/", {"language": "fr"})
    return client


def refused(client: Client, path: str, field: str, value: str) -> str:
    """Type this into one field of a form that is right otherwise; returns what is said beside it."""
    sent = form_of(client, path, password=PASSWORD)
    for name in client.get(path).context["form"].fields.keys() & FILLED:
        sent[name] = FILLED[name]
    form = client.post(path, {**sent, field: value}).context["form"]
    assert list(form.errors) == [field]
    return html.unescape(str(form.errors[field]))


@pytest.mark.parametrize("address", FRENCH_ERRORS)
@pytest.mark.parametrize(("path", "field"), OF_ADDRESSES)
def test_a_bad_address_is_told_in_french_beside_its_field(root: Client, path: str, field: str, address: str) -> None:
    assert FRENCH_ERRORS[address] in refused(root, path.format(key=Domain.objects.get().pk), field, address)


@pytest.mark.parametrize(("path", "field"), OF_DOMAINS)
def test_a_bad_domain_is_told_in_french_beside_its_field(root: Client, path: str, field: str) -> None:
    assert NO_ENDING in refused(root, path, field, "nodots")


@pytest.mark.parametrize("address", FRENCH_ERRORS)
@pytest.mark.parametrize(
    ("path", "field"), [("/settings/forwarding/", "targets"), ("/settings/recovery-address/", "address")]
)
def test_an_owner_is_told_in_french_too(path: str, field: str, address: str) -> None:
    an_owner()
    Domain.objects.update(owner_forwards=True)
    assert FRENCH_ERRORS[address] in refused(in_french(ANN), path, field, address)


def test_a_quoted_name_is_one_address_even_with_blanks_in_it(root: Client) -> None:
    error = refused(root, "/aliases/new/", "targets", 'ann@example.org, "b, c"@example.org')
    assert """'"b, c"@example.org' ne peut pas servir ici""" in error


@pytest.mark.parametrize("address", FRENCH_ERRORS)
def test_a_row_of_an_import_is_told_in_french(root: Client, address: str) -> None:
    quoted = address.replace('"', '""')
    page = upload_and_check(root, f'address\n"{quoted}"\n'.encode())
    assert FRENCH_ERRORS[address] in html.unescape(root.get(page).content.decode())


def test_a_file_that_is_no_csv_is_told_in_french(root: Client) -> None:
    answer = root.post(IMPORT, {"file": SimpleUploadedFile("people.csv", b'address\n"ann@example.org')})
    assert "La ligne 2 n’est pas du CSV valable\xa0: un guillemet manque" in html.unescape(answer.content.decode())
