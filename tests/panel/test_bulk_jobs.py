"""Bulk actions on the pages: any number of rows, in steps, with progress, results and undo."""

from __future__ import annotations

import pytest
from django.test import Client

from mailstore.directory import domain_rename, grants, mailbox_batch, mailbox_rename, mailboxes, policies
from mailstore.directory.mailbox_judge import Wanted
from mailstore.models import AuditEntry, Job, Mailbox, RetentionPolicy, User
from popadmin.panel.bulk_field_changes import FieldChange
from tests.site.page_users import an_admin, signed_in
from tests.site.preview_token import previewed
from tests.site.rows import ACTOR, PASSWORD, a_domain, a_mailbox, a_message

pytestmark = pytest.mark.django_db
MANY = 2 * FieldChange.step_rows + 50


@pytest.fixture
def root() -> Client:
    an_admin()
    a_domain()
    mailbox_batch.ensure([Wanted(f"box{n}@example.org", {}) for n in range(MANY)], actor=ACTOR, generates=False)
    return signed_in("root")


def all_of(client: Client, act: str, **fields: str) -> str:
    """Choose all, press the button and do it; returns the page of the results."""
    client.post("/mailboxes/", {"choose": "all"})
    url = client.post("/mailboxes/", {"bulk": act}).url
    mark = previewed(client.post(url, {"preview": "", **fields}).content.decode())
    answer = client.post(url, {"do": "", "previewed": mark, **fields})
    assert answer.status_code == 302
    return str(answer.url)


def stepped(client: Client, page: str) -> None:
    while client.post(f"{page}step/", headers={"accept": "application/json"}).json()["running"]:
        pass


def test_all_that_a_filter_finds_go_in_steps_that_a_page_shows(root: Client) -> None:
    page = all_of(root, "suspend")
    assert User.objects.filter(is_active=False).count() == FieldChange.step_rows
    page_text = root.get(page).content.decode()
    assert f'max="{MANY}" value="{FieldChange.step_rows}"' in page_text
    assert f'action="{page}undo/"' not in page_text
    assert root.post(f"{page}step/", headers={"accept": "text/html"}).url == page
    stepped(root, page)
    assert User.objects.filter(is_active=False).count() == MANY
    assert AuditEntry.objects.filter(verb="mailbox.change").count() == MANY
    assert "<progress" not in root.get(page).content.decode()


def test_a_removal_names_itself_and_what_follows_and_the_result_is_a_sentence() -> None:
    an_admin()
    keys = [a_message(a_mailbox(address), octets=2048).mailbox_id for address in ("ann@example.org", "bob@example.org")]
    held = a_mailbox("held@example.org")
    Mailbox.objects.filter(pk=held.pk).update(held=True)
    root = signed_in("root")
    root.post("/mailboxes/", {"on_page": [*keys, held.pk], "ticked": [*keys, held.pk]})
    url = root.post("/mailboxes/", {"bulk": "remove"}).url
    page = root.get(url).content.decode().replace("\xa0", " ")
    for text in (
        "Remove 3 mailboxes?",
        "Keep them",
        "2 mailboxes will be removed.",
        "1 mailbox is on hold and will not be removed.",
        "They can be restored for 30 days, with 2 messages (4 KB) and all settings.",
    ):
        assert text in page, text
    page = root.post(url, {"do": "", "previewed": previewed(page)}, follow=True).content.decode()
    assert "2 mailboxes removed." in page
    assert "1 was refused: see why below." in page
    assert "removed with 1 message" in page
    page = root.post(f"/mailboxes/results/{Job.objects.get().pk}/undo/", follow=True).content.decode()
    assert "2 changes undone." in page


def test_the_selection_ends_with_the_act_or_when_it_is_cancelled_and_stays_over_pages_of_the_list(root: Client) -> None:
    first, second, third = Mailbox.objects.order_by("pk").values_list("pk", flat=True)[:3]
    url = root.post("/mailboxes/?q=box", {"here": "?q=box", "ticked": [first, second], "bulk": "quota"}).url
    assert "q=box" in root.post(url, {"cancel": ""}).url
    assert root.get("/mailboxes/").context["chosen"] == 0
    root.post("/mailboxes/", {"on_page": [third], "ticked": [third]})
    assert root.get("/mailboxes/?q=box").context["chosen"] == 1
    assert root.get(root.post("/mailboxes/", {"bulk": "remove"}).url).context["count"] == 1
    all_of(root, "suspend")
    assert root.get("/mailboxes/").context["chosen"] == 0


def test_whoever_leaves_the_page_of_an_act_by_another_way_finds_nothing_selected(root: Client) -> None:
    keys = list(Mailbox.objects.order_by("pk").values_list("pk", flat=True)[:2])
    url = root.post("/mailboxes/", {"ticked": keys, "bulk": "quota"}).url
    for _again in range(2):
        assert root.get(url).context["count"] == 2
    assert root.get("/mailboxes/").context["chosen"] == 0
    root.post("/mailboxes/", {"on_page": keys, "ticked": keys})
    for _again in range(2):
        assert root.get("/mailboxes/").context["chosen"] == 2


def test_it_is_undone_in_steps_too_but_for_what_somebody_has_changed_since(root: Client) -> None:
    page = all_of(root, "quota", quota_octets="1", quota_octets_unit="GB")
    stepped(root, page)
    assert not Mailbox.objects.exclude(quota_octets=2**30).exists()
    Mailbox.objects.filter(user__address="box0@example.org").update(quota_octets=5)
    assert root.post(f"{page}undo/").url == page
    stepped(root, page)
    assert Mailbox.objects.exclude(quota_octets=None).get().quota_octets == 5
    refused = root.get(page, {"fate": "bad"}).content.decode()
    assert "changed it since" in refused
    assert "box1@" not in refused
    assert b"box1@example.org" in root.get(page, {"export": "csv"}).getvalue()


def test_an_undo_finds_the_mailboxes_that_were_renamed_since(root: Client) -> None:
    Mailbox.objects.exclude(user__address__in=["box0@example.org", "box1@example.org"]).delete()
    for act, there in (("suspend", {"user__is_active": True}), ("remove", {"removed_at": None})):
        page = all_of(root, act)
        stepped(root, page)
        assert not Mailbox.objects.filter(**there).exists()
        if act == "suspend":
            mailbox_rename.rename("box0@example.org", "new0@example.org", actor=ACTOR, keep_alias=False)
            mailboxes.ensure("box0@example.org", actor=ACTOR, suspended=True)  # another mailbox of the old name
        else:
            domain_rename.rename("example.org", "example.com", actor=ACTOR)
        root.post(f"{page}undo/")
        stepped(root, page)
        suspended = Mailbox.objects.exclude(**there).values_list("user__address", flat=True)
        assert list(suspended) == (["box0@example.org"] if act == "suspend" else [])


def test_what_was_set_again_after_a_rename_is_not_undone(root: Client) -> None:
    Mailbox.objects.exclude(user__address="box0@example.org").delete()
    page = all_of(root, "suspend")
    stepped(root, page)
    mailbox_rename.rename("box0@example.org", "new0@example.org", actor=ACTOR)
    for suspended in (False, True):
        mailboxes.ensure("new0@example.org", actor=ACTOR, suspended=suspended)
    root.post(f"{page}undo/")
    stepped(root, page)
    assert not User.objects.get(address="new0@example.org").is_active


def test_a_job_is_its_owners_alone_and_obeys_the_rights_that_he_has_left(root: Client) -> None:
    grants.ensure("carla", ["example.org"], actor=ACTOR, password=PASSWORD)
    carla = signed_in("carla")
    page = all_of(carla, "suspend")
    assert {root.get(page).status_code, root.post(f"{page}step/").status_code} == {404}
    a_domain("other.example")
    grants.grant("carla", "other.example", actor=ACTOR)
    grants.revoke("carla", "example.org", actor=ACTOR)
    stepped(carla, page)
    assert User.objects.filter(is_active=False).count() == FieldChange.step_rows
    assert "no longer administer it" in carla.get(page).content.decode()
    assert carla.post(f"{page}undo/").status_code == 302
    stepped(carla, page)
    assert User.objects.filter(is_active=False).count() == FieldChange.step_rows


def test_a_policy_that_is_edited_after_the_preview_is_shown_anew(root: Client) -> None:
    policy = policies.make("Brief", actor=ACTOR, expire_days=30)
    root.post("/mailboxes/", {"choose": "all"})
    url, asked = root.post("/mailboxes/", {"bulk": "policy"}).url, {"policy": str(policy.pk)}
    mark = previewed(root.post(url, {"preview": "", **asked}).content.decode())
    policies.ensure("Brief", actor=ACTOR, expire_days=1)
    page = root.post(url, {"do": "", "previewed": mark, **asked}).content.decode()
    assert "The data has changed since the preview" in page
    assert not Job.objects.exists()
    assert root.post(url, {"do": "", "previewed": previewed(page), **asked}).status_code == 302


def test_a_policy_that_is_edited_while_it_is_given_is_given_to_no_more(root: Client) -> None:
    policy = policies.make("Brief", actor=ACTOR, expire_days=30)
    page = all_of(root, "policy", policy=str(policy.pk))
    policies.ensure("Brief", actor=ACTOR, expire_days=1)
    stepped(root, page)
    assert Mailbox.objects.filter(policy=policy).count() == FieldChange.step_rows
    assert "has changed since the preview" in root.get(page, {"fate": "bad"}).content.decode()


def test_a_policy_that_is_gone_meanwhile_is_the_reason_of_every_row_left(root: Client) -> None:
    policy = RetentionPolicy.objects.create(name="Brief")
    page = all_of(root, "policy", policy=str(policy.pk))
    Mailbox.objects.update(policy=None)
    policy.delete()
    stepped(root, page)
    assert Job.objects.get().stage == "done"
    assert "Select a valid choice" in root.get(page, {"fate": "bad"}).content.decode()


def test_the_preview_of_a_policy_counts_the_mail_that_would_leave() -> None:
    an_admin()
    for address in ("ann@example.org", "bob@example.org"):
        a_message(a_mailbox(address), octets=1000)
    policy = RetentionPolicy.objects.create(name="Brief", expire_days=3, expire_unfetched=True)
    client = signed_in("root")
    client.post("/mailboxes/", {"choose": "all"})
    url = client.post("/mailboxes/", {"bulk": "policy"}).url
    page_text = client.post(url, {"preview": "", "policy": str(policy.pk)}).content.decode()
    assert "Removes 2 messages" in page_text
    assert "in 2 mailboxes" in page_text
    assert "nothing would be removed" not in page_text
    assert not Mailbox.objects.exclude(policy=None).exists()
