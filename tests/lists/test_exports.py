"""Every list of the panel can be exported as CSV, with its filters."""

from __future__ import annotations

import csv
from collections.abc import Iterator

import pytest
from django.test import Client
from django.utils import timezone

from mailstore.directory import grants
from mailstore.models import Device, DiarySession, Domain, Mailbox
from popadmin import urls
from popadmin.lists.views import ListPage
from tests.site.page_users import ANN, an_admin, an_owner, signed_in
from tests.site.rows import ACTOR, PASSWORD

assert urls.urlpatterns, "by which every page is imported"


def lists_below(page: type[ListPage]) -> Iterator[type[ListPage]]:
    for below in page.__subclasses__():
        yield below
        yield from lists_below(below)


def test_every_list_of_the_panel_has_a_file():
    pages = [page for page in lists_below(ListPage) if page.__module__.startswith("popadmin.panel.")]
    assert len(pages) > 8
    assert [page.__qualname__ for page in pages if not page.exported] == []


@pytest.fixture
def root() -> Client:
    an_admin()
    return signed_in("root")


def exported(client: Client, url: str, **query: str) -> list[dict[str, str]]:
    text = client.get(url, {"export": "csv", **query}).getvalue().decode("utf-8-sig")
    return list(csv.DictReader(text.splitlines()))


@pytest.mark.django_db
def test_sign_ins_as_a_file(root):
    box = an_owner()
    now = timezone.now()
    main = Device.objects.get(mailbox=box, main=True)
    phone = Device.objects.create(mailbox=box, name="Phone", selector="p" * 8, digest=b"d")
    for device, client in ((main, "192.0.2.1"), (phone, "192.0.2.2"), (None, "192.0.2.3")):
        ended = DiarySession.Ended.WRONG if device is None else DiarySession.Ended.QUIT
        DiarySession.objects.create(
            mailbox=box, device=device, client=client, started_at=now, ended_at=now, ended=ended
        )
    rows = exported(root, "/sign-ins/")
    assert {row["From"]: row["Device"] for row in rows} == {
        "192.0.2.1": "Main password", "192.0.2.2": "Phone", "192.0.2.3": "none",
    }  # fmt: skip
    assert {row["Mailbox"] for row in rows} == {ANN}
    assert [row["From"] for row in exported(root, "/sign-ins/", ended="refused")] == ["192.0.2.3"]


@pytest.mark.django_db
def test_administrators_as_a_file(root):
    names = [f"d{n:02}.example" for n in range(12)]
    Domain.objects.bulk_create(Domain(name=name) for name in names)
    grants.ensure("carla", names, actor=ACTOR, password=PASSWORD)
    rows = {row["Login"]: row for row in exported(root, "/admins/")}
    assert rows["root"]["Domains"] == "all"
    assert rows["carla"]["Domains"].startswith("d00.example, d01.example")
    assert rows["carla"]["Domains"].endswith(", …")
    assert rows["carla"]["Number of domains"] == "12"
    assert set(rows) - {row["Login"] for row in exported(root, "/admins/", kind="admin")} == {"carla"}


@pytest.mark.django_db
def test_what_rests_after_its_removal_as_a_file(root):
    now = timezone.now()
    gone, asked = an_owner(), an_owner("bob@example.org")
    Mailbox.objects.filter(pk__in=[gone.pk, asked.pk]).update(removed_at=now, removed_by="root")
    Mailbox.objects.filter(pk=asked.pk).update(purge_requested_at=now)
    rows = {row["Address"]: row for row in exported(root, "/mailboxes/removed/")}
    assert (rows[ANN]["Removed by"], rows[ANN]["Deleted for good"] > now.isoformat()) == ("root", True)
    assert rows["bob@example.org"]["Deleted for good"] == ""
    Domain.objects.update(removed_at=now, removed_by="root")
    assert [row["Domain"] for row in exported(root, "/domains/removed/")] == ["example.org"]


@pytest.mark.django_db
def test_a_file_has_dates_of_iso_8601_and_plain_numbers_whatever_the_reader_has(root):
    box = an_owner()
    at = timezone.now()
    device = Device.objects.get(mailbox=box, main=True)
    DiarySession.objects.create(
        mailbox=box, device=device, started_at=at, ended_at=at, ended="lost", listed=3214, unremoved_messages=1234,
        octets_out=2**31,
    )  # fmt: skip
    root.cookies["zone"] = "America/New_York"
    answer = root.get(f"/mailboxes/{box.pk}/diary/?export=csv", headers={"Accept-Language": "en-US"})
    (row,) = csv.DictReader(answer.getvalue().decode("utf-8-sig").splitlines())
    assert row["Started"] == at.isoformat()
    assert (row["Visible"], row["Deletions not carried out"], row["Bytes sent"]) == ("3214", "1234", "2147483648")
