"""The page of recent operations: each admin sees what was done, and takes back what can be."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from mailstore.directory import (
    admin_suspension,
    aliases,
    domain_removal,
    domain_rename,
    domains,
    grants,
    mailbox_removal,
    mailboxes,
    policies,
)
from mailstore.directory.audit import Actor
from mailstore.directory.outcome import Rejected
from mailstore.models import Alias, AuditEntry, Domain, Job, Mailbox, User
from popadmin.panel import change_undo, undo_ways
from popadmin.panel.views.operations import Operations
from tests.site.page_users import ANN, an_admin, an_owner, signed_in
from tests.site.preview_token import previewed
from tests.site.rows import ACTOR, PASSWORD, a_domain

pytestmark = pytest.mark.django_db
PAGE, INFO = "/operations/", "info@example.org"
MB = 2**20


@pytest.fixture
def root() -> Client:
    an_admin()
    return signed_in("root")


def text_of(client: Client, query: str = "") -> str:
    answer = client.get(PAGE + query)
    assert answer.status_code == 200
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def after(entry: AuditEntry) -> str:
    """Return the moment after it, as the URLs of older pages have it."""
    return (entry.at + timedelta(microseconds=1)).isoformat().replace("+", "%2B")


def press_undo(client: Client, path: str) -> None:
    """Press the one button of the page that leads there, with what it sends."""
    page = client.get(PAGE).content.decode()
    field = r'(?:\s+name="(\w+)" value="(\w+)")?'
    ((url, name, value),) = re.findall(rf'formaction="({re.escape(path)}(?:\?undoes=\d+)?)"{field}', page)
    assert client.post(url, {name: value} if name else {}).status_code == 302


def suspended(client: Client, *keys: int) -> Job:
    client.post("/mailboxes/", {"on_page": keys, "ticked": keys})
    url = client.post("/mailboxes/", {"bulk": "suspend"}).url
    client.post(url, {"do": "", "previewed": previewed(client.get(url).content.decode())})
    return Job.objects.latest("pk")


def test_nothing_was_done_yet(root: Client) -> None:
    a_domain()
    assert "Nothing to take back" in text_of(root)


def test_a_job_is_one_row_with_its_numbers_and_is_undone_there(root: Client) -> None:
    job = suspended(root, an_owner().pk, an_owner("bob@example.org").pk)
    page = text_of(root)
    assert "2 mailboxes suspended" in page
    assert page.count("root · 2 mailboxes suspended") == 1
    press_undo(root, f"/mailboxes/results/{job.pk}/undo/")
    assert User.objects.filter(is_active=False).count() == 0
    assert "Already undone" in text_of(root)


def test_removals_are_undone_there(root: Client) -> None:
    mailbox = an_owner()
    a_domain("other.example")
    aliases.ensure(INFO, [ANN], actor=ACTOR)
    entry = aliases.remove(INFO, actor=ACTOR)
    mailbox_removal.remove(ANN, actor=ACTOR, with_mail=True)
    domain_removal.remove("other.example", actor=ACTOR, with_mailboxes=True)
    other = Domain.objects.get(name="other.example")
    for path in (
        f"/aliases/removed/{entry.pk}/restoral/",
        f"/mailboxes/{mailbox.pk}/restoral/",
        f"/domains/{other.pk}/restoral/",
    ):
        press_undo(root, path)
    assert Alias.objects.exists()
    assert not Mailbox.objects.exclude(removed_at=None).exists()
    assert not Domain.objects.exclude(removed_at=None).exists()
    assert text_of(root).count("Already restored") == 2
    assert "The address is in use again" in text_of(root)


def test_suspensions_are_undone_there(root: Client) -> None:
    mailbox = an_owner()
    grants.ensure("carla", ["example.org"], actor=ACTOR, password=PASSWORD)
    carla = User.objects.get(address="carla")
    mailboxes.ensure(ANN, actor=ACTOR, suspended=True)
    domains.ensure("example.org", actor=ACTOR, active=False)
    admin_suspension.suspend("carla", suspended=True, actor=ACTOR)
    suspension = AuditEntry.objects.get(verb="mailbox.change")
    for path in (
        f"/mailboxes/{mailbox.pk}/undo/{suspension.pk}/",
        f"/domains/{mailbox.domain_id}/suspension/",
        f"/admins/{carla.pk}/suspension/",
    ):
        press_undo(root, path)
    assert not User.objects.filter(is_active=False).exists()
    assert Domain.objects.get().active


def test_an_older_policy_is_chosen_again_on_the_page_with_its_preview(root: Client) -> None:
    an_owner()
    policy = policies.make("Brief", actor=ACTOR, expire_days=3)
    domains.ensure("example.org", actor=ACTOR, policy=policy)
    policies.ensure("Brief", actor=ACTOR, expire_days=30)
    page = root.get(PAGE).content.decode()
    assert 'href="/policies/choice/?of=example.org"' in page
    assert f'href="/policies/{policy.pk}/edit/?undoes=' in page


def test_what_cannot_be_undone_says_why(root: Client) -> None:
    an_owner()
    an_admin("second")
    admin_suspension.remove("second", actor=ACTOR)
    mailbox_removal.remove(ANN, actor=ACTOR, with_mail=True)
    mailbox_removal.ask_purge(ANN, actor=ACTOR)
    page = text_of(root)
    for why in ("Create the administrator again", "It no longer exists", "deleted for good cannot be restored"):
        assert why in page


def test_of_two_acts_on_one_row_only_the_latest_is_undone(root: Client) -> None:
    mailbox = an_owner()
    for wanted in (True, False, True):
        mailboxes.ensure(ANN, actor=ACTOR, suspended=wanted)
    assert root.get(PAGE).content.decode().count(f'action="/mailboxes/{mailbox.pk}/undo/') == 1


def test_a_suspension_that_jobs_have_lifted_and_set_again_is_not_undone(root: Client) -> None:
    mailbox = an_owner()
    mailboxes.ensure(ANN, actor=ACTOR, suspended=True)
    single = AuditEntry.objects.get(verb="mailbox.change")
    for job, wanted in ((1, False), (2, True)):
        mailboxes.ensure(ANN, actor=ACTOR.within("job", job), suspended=wanted)
    undo = f"/mailboxes/{mailbox.pk}/undo/{single.pk}/"
    assert "Something newer was done to it" in text_of(root)
    for page in (PAGE, f"/mailboxes/{mailbox.pk}/diary/?kind=changes&before={after(single)}"):
        assert undo not in root.get(page).content.decode()
    assert "cannot be undone any more" in root.post(undo, follow=True).content.decode()
    assert not User.objects.get(address=ANN).is_active


def test_a_new_password_to_be_changed_is_not_undone_with_an_older_demand(root: Client) -> None:
    mailbox = an_owner()
    mailboxes.ensure(ANN, actor=ACTOR, must_change_password=True)
    demand = AuditEntry.objects.get(verb="mailbox.change")
    mailboxes.set_password(ANN, None, actor=ACTOR, must_change=True)
    root.post(f"/mailboxes/{mailbox.pk}/undo/{demand.pk}/")
    assert User.objects.get(address=ANN).must_change_password


def test_an_undo_does_not_overwrite_what_a_colleague_has_set_since_the_page_was_read(root: Client) -> None:
    mailbox = an_owner(quota_octets=500 * MB)
    mailboxes.ensure(ANN, actor=ACTOR, quota_octets=1000 * MB)
    entry = AuditEntry.objects.get(verb="mailbox.change")
    read = Mailbox.objects.select_related("user", "domain").get(pk=mailbox.pk)
    mailboxes.ensure(ANN, actor=ACTOR, quota_octets=5000 * MB)
    with pytest.raises(Rejected, match="cannot be undone any more"):
        change_undo.undo(entry, read, User.objects.get(address="root"), actor=ACTOR)
    mailbox.refresh_from_db()
    assert mailbox.quota_octets == 5000 * MB


def test_of_two_removals_of_an_alias_the_older_is_not_undone_from_an_older_page(
    root: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Operations, "page_rows", 1)
    a_domain()
    for targets in ([ANN], ["bob@example.org"]):
        aliases.ensure(INFO, targets, actor=ACTOR)
        aliases.remove(INFO, actor=ACTOR)
    older, newer = AuditEntry.objects.filter(verb="alias.remove").order_by("pk")
    assert f"/aliases/removed/{newer.pk}/restoral/" in root.get(PAGE).content.decode()
    page = root.get(f"{PAGE}?page=a:2:1:{after(older)}").content.decode()
    assert "Something newer was done to it" in page
    assert f"/aliases/removed/{older.pk}/restoral/" not in page
    root.post(f"/aliases/removed/{older.pk}/restoral/")
    assert not Alias.objects.exists()


def test_a_suspended_domain_is_not_resumed_from_an_older_page(root: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Operations, "page_rows", 1)
    a_domain()
    for active in (False, True, False):
        domains.ensure("example.org", actor=ACTOR, active=active)
    older = AuditEntry.objects.filter(verb="domain.change").earliest("pk")
    assert "/suspension/" in root.get(PAGE).content.decode()
    assert "/suspension/" not in root.get(f"{PAGE}?page=a:2:1:{after(older)}").content.decode()


def test_an_undo_does_not_resume_a_domain_or_an_admin_whom_a_colleague_has_suspended_again(root: Client) -> None:
    a_domain()
    domain, carla = Domain.objects.get(), an_admin("carla")
    undos = []
    for path, sent in (
        (f"/domains/{domain.pk}/suspension/", {"active": "no"}),
        (f"/admins/{carla.pk}/suspension/", {"suspended": "yes"}),
    ):
        notice = root.post(path, sent, follow=True).content.decode()
        undos.append(re.search(rf'action="({path}\?undoes=\d+)"', notice)[1])
        assert "?undoes=" not in root.post(path, sent, follow=True).content.decode(), "nothing was done a second time"
    for suspended in (False, True):
        domains.ensure("example.org", actor=ACTOR, active=not suspended)
        admin_suspension.suspend("carla", suspended=suspended, actor=ACTOR)
    for undo in [*undos, f"/domains/{domain.pk}/suspension/?undoes=x"]:
        assert "cannot be undone any more" in root.post(undo, follow=True).content.decode()
    assert not Domain.objects.get().active
    assert not User.objects.get(address="carla").is_active


def test_after_a_rename_what_is_newer_is_known_all_the_same(root: Client) -> None:
    mailbox = an_owner()
    mailboxes.ensure(ANN, actor=ACTOR, suspended=True)
    domains.ensure("example.org", actor=ACTOR, active=False)
    older = [AuditEntry.objects.get(verb=verb) for verb in ("mailbox.change", "domain.change")]
    domain_rename.rename("example.org", "example.com", actor=ACTOR)
    user = User.objects.get(address="root")
    assert all(way.url for way in undo_ways.of_entries(older, user).values())
    for wanted in (False, True):
        mailboxes.ensure("ann@example.com", actor=ACTOR, suspended=wanted)
        domains.ensure("example.com", actor=ACTOR, active=not wanted)
    assert {way.why for way in undo_ways.of_entries(older, user).values()} == {"something newer was done to it"}
    newest = AuditEntry.objects.filter(verb="domain.change").latest("pk")
    domain_rename.rename("example.com", "example.net", actor=ACTOR)
    root.post(f"/domains/{mailbox.domain_id}/suspension/?undoes={newest.pk}")
    assert Domain.objects.get(name="example.net").active


def test_a_single_setting_of_a_mailbox_is_undone_there_and_in_its_timeline_alike(root: Client) -> None:
    mailbox = an_owner(quota_octets=100 * MB)
    mailboxes.ensure(ANN, actor=ACTOR, quota_octets=200 * MB)
    mailboxes.ensure(ANN, actor=ACTOR, quota_octets=300 * MB)
    mailboxes.ensure(ANN, actor=ACTOR, pop=False)
    undone = "/mailboxes/{}/undo/{}/"
    wider, widest, switch = AuditEntry.objects.filter(verb="mailbox.change").order_by("pk")
    timeline = root.get(f"/mailboxes/{mailbox.pk}/diary/").content.decode()
    for entry, offered in ((wider, False), (widest, True), (switch, True)):
        action = f'action="{undone.format(mailbox.pk, entry.pk)}"'
        assert (action in root.get(PAGE).content.decode()) is offered
        assert (action in timeline) is offered
    assert "200 MB → 300 MB" in text_of(root).replace("\xa0", " ")
    press_undo(root, undone.format(mailbox.pk, widest.pk))
    mailbox.refresh_from_db()
    assert (mailbox.quota_octets, mailbox.pop) == (200 * MB, False)
    assert "Something newer was done to it" in text_of(root)


def test_what_only_hosting_admins_set_no_other_admin_undoes(root: Client) -> None:
    an_owner()
    grants.ensure("carla", ["example.org"], actor=ACTOR, password=PASSWORD)
    mailboxes.ensure(ANN, actor=ACTOR, held=True)
    assert "Only a hosting admin can undo it" in text_of(signed_in("carla"))


def test_a_change_of_several_fields_is_not_told_as_the_end_of_a_suspension(root: Client) -> None:
    an_owner()
    mailboxes.ensure(ANN, actor=ACTOR, suspended=True)
    mailboxes.ensure(ANN, actor=ACTOR, suspended=False, receives=False)
    page = text_of(root)
    assert "changed the mailbox ann@example.org" in page
    assert "resumed ann@example.org" not in page


def test_a_domain_admin_sees_his_own_and_no_other(root: Client) -> None:
    theirs = an_owner("secret@other.example")
    mine = an_owner()
    grants.ensure("carla", ["example.org"], actor=ACTOR, password=PASSWORD)
    mailbox_removal.remove("secret@other.example", actor=ACTOR, with_mail=True)
    job = suspended(root, theirs.pk, mine.pk)
    mailboxes.ensure(ANN, actor=Actor("root", "web", User.objects.get(address="root")), suspended=False)
    domains.ensure("example.org", actor=ACTOR, active=False)
    page = text_of(signed_in("carla"))
    assert "resumed ann@example.org" in page
    assert "Only a hosting admin can undo it" in page
    assert "secret@" not in page
    assert "2 mailboxes" not in page
    assert signed_in("carla").post(f"/mailboxes/results/{job.pk}/undo/").status_code == 404


def test_another_hosting_admin_sees_the_job_but_has_no_page_of_it(root: Client) -> None:
    suspended(root, an_owner().pk)
    an_admin("second")
    page = text_of(signed_in("second"))
    assert "1 mailbox suspended" in page
    assert "Only root can undo it" in page


def test_a_domain_admin_restores_no_alias_of_others() -> None:
    a_domain("other.example")
    aliases.ensure("info@other.example", [ANN], actor=ACTOR)
    entry = aliases.remove("info@other.example", actor=ACTOR)
    a_domain()
    grants.ensure("carla", ["example.org"], actor=ACTOR, password=PASSWORD)
    assert signed_in("carla").post(f"/aliases/removed/{entry.pk}/restoral/").status_code == 404
    assert not Alias.objects.exists()


def test_pages_follow_each_other_without_a_gap_and_lead_back(root: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Operations, "page_rows", 3)
    an_owner()
    suspended(root, Mailbox.objects.get().pk)
    for number in range(6):
        a_domain(f"d{number}.example")
        domain_removal.remove(f"d{number}.example", actor=ACTOR, with_mailboxes=True)
    pages, query = [], ""
    while query is not None:
        shown = root.get(PAGE + query).context
        pages.append([each.subject for each in shown["page"].rows])
        query = shown["after"]
    assert [subject for page in pages for subject in page] == [*(f"d{n}.example" for n in reversed(range(6))), ""]
    assert "7 to 7 of 7" in text_of(root, shown["here"])
    assert "Page 3 of 3" in text_of(root, shown["here"])
    before = root.get(PAGE + shown["before"]).context
    assert [each.subject for each in before["page"].rows] == pages[1]
    for never in ("a:1:1:never", "b:1:1:2026-11-30T00:00:00%2B23:59", "a:1:1:9999-12-31T23:00:00-23:59"):
        assert root.get(f"{PAGE}?page={never}").status_code == 200


def test_what_was_done_is_found_by_kind_subject_user_and_day(root: Client) -> None:
    ann, bob = an_owner(), an_owner("bob@example.org")
    suspended(root, ann.pk)
    mailbox_removal.remove("bob@example.org", actor=ACTOR, with_mail=True)
    mailboxes.ensure(ANN, actor=ACTOR, pop=False)

    def found(query: str) -> list[str]:
        return [each.subject for each in root.get(PAGE + query).context["page"].rows]

    assert found("?q=ann%40example") == [ANN, ""], "a job is found by its rows"
    assert found(f"?q={ACTOR.name}") == [ANN, "bob@example.org"]
    assert [found(f"?kind={kind}") for kind in ("bulk", "removal", "change", "import")] == [
        [""], ["bob@example.org"], [ANN], [],
    ]  # fmt: skip
    assert found("?until=2020-01-01") == []
    chips = {str(chip.label): chip.count for chip in root.get(PAGE).context["chips"]}
    assert (chips["All"], chips["Bulk changes"], chips["Removals"]) == ("3", "1", "1")
    assert bob.pk


def test_recent_operations_are_a_file_too(root: Client) -> None:
    suspended(root, an_owner().pk)
    mailboxes.ensure(ANN, actor=ACTOR, pop=False)
    lines = root.get(f"{PAGE}?export=csv").getvalue().decode("utf-8-sig").splitlines()
    assert lines[0] == "When,Who,Action,Subject,Details,Undo"
    assert [line.split(",")[1:4] for line in lines[1:]] == [
        [ACTOR.name, "changed the mailbox", ANN], ["root", "1 mailbox suspended", ""],
    ]  # fmt: skip


def test_it_costs_the_same_statements_however_much_was_done(root: Client, django_assert_max_num_queries: Any) -> None:
    for number in range(20):
        mailbox = an_owner(f"box{number}@example.org")
        suspended(root, mailbox.pk)
        mailbox_removal.remove(f"box{number}@example.org", actor=ACTOR, with_mail=True)
    with django_assert_max_num_queries(16):
        assert len(root.get(PAGE).context["page"].rows) == 40


def test_what_is_older_than_removed_things_are_kept_is_not_listed(root: Client, settings: Any) -> None:
    an_owner()
    mailbox_removal.remove(ANN, actor=ACTOR, with_mail=True)
    late = timezone.now() - timedelta(days=settings.REMOVED_DAYS + 1)
    AuditEntry.objects.update(at=late)
    assert "Nothing to take back" in text_of(root)


def test_an_owner_has_no_such_page() -> None:
    an_owner()
    assert signed_in(ANN).get(PAGE).status_code == 404


def test_changing_a_policy_back_begins_with_the_values_from_before() -> None:
    an_admin()
    policies.ensure("Thirty days", actor=ACTOR, expire_days=30)
    policy = policies.ensure("Thirty days", actor=ACTOR, expire_days=10).row
    client = signed_in("root")
    page = client.get("/operations/").content.decode()
    (link,) = re.findall(rf'href="(/policies/{policy.pk}/edit/\?undoes=\d+)"', page)
    form = client.get(link).context["form"]
    assert (form["expire_days"].value(), form["expire_days_on"].value()) == (30, True)
    for other in ("0", "x", "999999999"):
        assert client.get(f"/policies/{policy.pk}/edit/?undoes={other}").context["form"]["expire_days"].value() == 10
