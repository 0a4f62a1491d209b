"""The pages of a mailbox: create, show, edit, new password, suspend, remove, restore."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from mailstore.directory import aliases, domains, grants, mailboxes
from mailstore.models import AuditEntry, Job, JobRow, Mailbox, RetentionPolicy, User
from tests.site.page_users import ANN, an_admin, an_owner, signed_in
from tests.site.preview_token import previewed
from tests.site.rows import ACTOR, PASSWORD, a_domain, a_message

pytestmark = pytest.mark.django_db
MB = 2**20
SWITCHES = {"receives": "on", "pop": "on", "main_pop": "on", "smtp": "on", "web": "on"}


@pytest.fixture
def root() -> Client:
    an_admin()
    return signed_in("root")


@pytest.fixture
def carla() -> Client:
    """She administers example.org, and nothing else."""
    a_domain()
    grants.ensure("carla", ["example.org"], actor=ACTOR, password=PASSWORD)
    return signed_in("carla")


def text(answer) -> str:
    return html.unescape(answer.content.decode()).replace("\xa0", " ")


def secret_on(page: str) -> str:
    return re.search(r'id="copy-password">([^<]+)<', page).group(1)


def make(client: Client, **fields: str):
    return client.post("/mailboxes/new/", {"address": ANN, **SWITCHES, **fields})


def test_a_new_mailbox_shows_its_generated_password_once(root):
    a_domain()
    page = text(make(root, name="Ann", quota_octets="1,5 Go", notes="pays late"))
    mailbox = Mailbox.objects.get(user__address=ANN)
    assert mailbox.user.check_password(secret_on(page))
    assert (mailbox.user.name, mailbox.quota_octets, mailbox.notes) == ("Ann", 1536 * MB, "pays late")
    assert (mailbox.receives, mailbox.pop, mailbox.web, mailbox.held) == (True, True, True, False)
    assert secret_on(page) not in text(root.get(f"/mailboxes/{mailbox.pk}/"))


@pytest.mark.parametrize(
    ("quota", "quota_octets"), [("", 1024 * MB), (" ", 1024 * MB), ("none", None), ("Aucune", None), ("5 MB", 5 * MB)]
)
def test_a_new_mailbox_without_a_quota_gets_its_domains_and_only_a_word_lifts_it(root, quota, quota_octets):
    a_domain(mailbox_quota_default=1024 * MB)
    assert "Leave empty for the default of example.org (1 GB)" in text(root.get("/mailboxes/new/"))
    make(root, quota_octets=quota)
    assert Mailbox.objects.get().quota_octets == quota_octets


def test_a_domain_admin_need_not_know_what_a_mailbox_may_have(carla):
    domains.ensure("example.org", actor=ACTOR, mailbox_quota_most=2048 * MB)
    assert "needs a quota" in text(make(carla, quota_octets="none"))
    make(carla)
    assert Mailbox.objects.get().quota_octets == 2048 * MB


def test_the_quota_told_is_that_of_the_domain_one_comes_from(root):
    a_domain(mailbox_quota_default=1024 * MB)
    a_domain("example.net", mailbox_quota_default=5 * MB)
    assert "Leave empty for the default of the domain." in text(root.get("/mailboxes/new/"))
    assert "Leave empty for the default of example.net (5 MB)" in text(root.get("/mailboxes/new/?domain=example.net"))


def test_an_empty_panel_says_where_to_begin(root):
    page = text(root.get("/mailboxes/"))
    assert "Create first domain" in page
    assert "Filter" not in page
    a_domain()
    page = text(root.get("/mailboxes/"))
    assert "Create first mailbox" in page
    assert 'href="/mailboxes/import/"' in page
    assert "The part before @example.org is enough." in text(root.get("/mailboxes/new/"))
    a_domain("other.example")
    assert "is enough." not in text(root.get("/mailboxes/new/"))


def test_a_typed_password_is_taken_and_a_weak_one_is_refused_without_loss(root):
    a_domain()
    page = text(make(root, password="short", name="Ann Smith"))
    assert "too short" in page
    assert 'value="Ann Smith"' in page
    assert secret_on(text(make(root, password=PASSWORD))) == PASSWORD


def test_blanks_around_a_typed_password_are_refused_as_by_shell_and_file(root):
    a_domain()
    errors = make(root, password=f"{PASSWORD} ").context["form"].errors["password"]
    assert errors == ["The password begins or ends with a blank: remove it."]
    assert not Mailbox.objects.exists()


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ('"a b"@example.org', "quoted names"),
        ("no-at-sign", "has no @"),
        (f"{'x' * 65}@example.org", "not an address"),
        (f"a@{'y' * 60}.{'y' * 60}.{'y' * 60}.{'y' * 60}.{'y' * 60}.org", "254"),
        ("ann@elsewhere.example", "There is no domain elsewhere.example here"),
        ("ann@example.org\0", "Null characters"),
    ],
)
def test_an_address_that_cannot_be_is_told_beside_its_field(root, address, error):
    a_domain()
    a_domain("example.net")
    page = make(root, address=address)
    assert page.status_code == 200
    errors = "".join(page.context["form"].errors["address"])
    assert error in errors
    assert not Mailbox.objects.exists()


def test_an_address_in_another_script_is_stored_once_and_shown_both_ways(root):
    a_domain("bücher.example")
    make(root, address="Ann@BÜCHER.example")
    mailbox = Mailbox.objects.get()
    assert mailbox.user.address == "ann@xn--bcher-kva.example"
    for url in ("/mailboxes/", f"/mailboxes/{mailbox.pk}/"):
        page = text(root.get(url))
        assert "ann@xn--bcher-kva.example" in page
        assert "bücher.example" in page
    assert "ann@xn--bcher" in text(root.get("/mailboxes/", {"q": "bücher.ex"}))


def test_an_address_that_is_there_is_not_changed_by_the_way(root):
    an_owner(name="Ann")
    assert "is already a mailbox" in text(make(root, name="Eve"))
    assert User.objects.get(address=ANN).name == "Ann"


def test_a_domain_admin_needs_no_domain_when_he_has_one(carla):
    make(carla, address="bob", held="on")
    mailbox = Mailbox.objects.get()
    assert mailbox.user.address == "bob@example.org"
    assert not mailbox.held  # a hold is the host's


def edit(client: Client, mailbox: Mailbox, **fields: str):
    """Open the form, then send it with these fields changed; returns both answers."""
    url = f"/mailboxes/{mailbox.pk}/edit/"
    form = client.get(url).context["form"]
    present = {name: form[name].value() for name in form.fields}
    sent = {name: value for name, value in {**present, **fields}.items() if value not in (None, False)}
    return client.post(url, sent)


def test_what_is_changed_is_saved_and_told_with_what_it_was(root):
    mailbox = an_owner(quota_octets=100 * MB)
    answer = edit(root, mailbox, quota_octets="2 GB", notes="secret words")
    assert answer.status_code == 302
    mailbox.refresh_from_db()
    assert (mailbox.quota_octets, mailbox.notes) == (2**31, "secret words")
    assert "100 MB → 2 GB" in text(root.get(f"/mailboxes/{mailbox.pk}/diary/"))
    assert "secret words" not in str(AuditEntry.objects.get(verb="mailbox.change").details)


def test_a_policy_is_changed_only_where_it_is_foretold(root):
    mailbox = an_owner("ann+new@example.org")
    brief = RetentionPolicy.objects.create(name="Brief", expire_days=5)
    edit(root, mailbox, policy=str(brief.pk))
    mailbox.refresh_from_db()
    assert mailbox.policy is None
    Mailbox.objects.update(policy=brief)
    page = text(root.get(f"/mailboxes/{mailbox.pk}/"))
    assert "set for this mailbox" in page
    form = root.get(re.search(r'href="(/policies/choice/[^"]+)"', page)[1]).context["form"]
    assert (form["of"].value(), form["policy"].value()) == ("ann+new@example.org", str(brief.pk))


def test_a_quota_below_what_is_there_is_saved_only_after_its_consequences_were_shown(root):
    mailbox = an_owner()
    a_message(mailbox, octets=2 * MB)
    answer = edit(root, mailbox, quota_octets="1MB")
    assert answer.status_code == 200
    assert "It contains 2 MB, the quota is 1 MB." in text(answer)
    assert "New mail will be deferred (452)" in text(answer)
    mailbox.refresh_from_db()
    assert mailbox.quota_octets is None
    token = answer.context["shortfall"].token
    assert edit(root, mailbox, quota_octets="1.5MB", despite=token).status_code == 200, "another quota is asked anew"
    page = text(root.get(edit(root, mailbox, quota_octets="1MB", despite=token).url))
    assert "Refusing new mail: full" in page
    mailbox.refresh_from_db()
    assert mailbox.quota_octets == MB


def test_the_second_of_two_who_edit_is_told_and_loses_nothing(root):
    mailbox = an_owner(quota_octets=MB)
    url = f"/mailboxes/{mailbox.pk}/edit/"
    seen = root.get(url).context["form"]["seen"].value()
    mailboxes.ensure(ANN, actor=ACTOR, quota_octets=2 * MB)
    sent = {**SWITCHES, "seen": seen, "quota_octets": "3 MB", "name": "Ann"}
    answer = root.post(url, sent)
    page = text(answer)
    assert "quota: 1 MB → 2 MB" in page
    assert 'value="3"' in page
    assert 'value="Ann"' in page
    mailbox.refresh_from_db()
    assert mailbox.quota_octets == 2 * MB
    sent["seen"] = answer.context["form"]["seen"].value()
    assert root.post(url, sent).status_code == 302
    mailbox.refresh_from_db()
    assert mailbox.quota_octets == 3 * MB


@pytest.mark.parametrize("seen", ["", "{", "[]", '"x"', "{}"])
def test_a_stamp_that_is_none_harms_nothing(root, seen):
    mailbox = an_owner()
    assert root.post(f"/mailboxes/{mailbox.pk}/edit/", {**SWITCHES, "seen": seen}).status_code == 302


def test_a_new_password_is_asked_for_first_and_shown_once(root):
    mailbox = an_owner()
    assert "shown once" in text(root.get(f"/mailboxes/{mailbox.pk}/password/"))
    page = text(root.post(f"/mailboxes/{mailbox.pk}/password/"))
    mailbox.user.refresh_from_db()
    assert mailbox.user.check_password(secret_on(page))


@pytest.mark.parametrize("must", [True, False])
def test_whoever_is_handed_a_password_chooses_another_first_unless_the_admin_says_otherwise(root, must):
    a_domain()
    given = {"must_change_password": "on"} if must else {}
    make(root, **given)
    mailbox = Mailbox.objects.get(user__address=ANN)
    assert mailbox.user.must_change_password is must
    root.post(
        f"/mailboxes/{mailbox.pk}/password/", {"must_change_password": ""} if must else {"must_change_password": "on"}
    )
    mailbox.user.refresh_from_db()
    assert mailbox.user.must_change_password is not must
    assert "checked" in text(root.get(f"/mailboxes/{mailbox.pk}/password/"))


def test_a_mailbox_is_suspended_and_resumed_by_a_button(root):
    mailbox = an_owner()
    for value, active in (("yes", False), ("no", True)):
        root.post(f"/mailboxes/{mailbox.pk}/suspension/", {"suspended": value})
        assert User.objects.get(address=ANN).is_active is active


def test_a_suspension_names_who_did_it_and_is_undone_from_its_notice(root):
    mailbox = an_owner()
    page = text(root.post(f"/mailboxes/{mailbox.pk}/suspension/", {"suspended": "yes"}, follow=True))
    assert "Suspended by root" in page
    undo = re.search(r'action="(/mailboxes/\d+/undo/\d+/)"', page)[1]
    assert "The change is undone." in text(root.post(undo, follow=True))
    assert User.objects.get(address=ANN).is_active
    assert "cannot be undone any more" in text(root.post(undo, follow=True))


def test_a_removed_mailbox_rests_on_a_page_of_its_own_and_comes_back(root):
    mailbox = an_owner()
    answer = root.post(f"/mailboxes/{mailbox.pk}/removal/")
    assert answer.url == "/mailboxes/"
    assert f'action="/mailboxes/{mailbox.pk}/restoral/"' in text(root.get(answer.url)), "the notice offers to undo it"
    assert ANN in text(root.get("/mailboxes/removed/"))
    assert root.get(f"/mailboxes/{mailbox.pk}/").url == "/mailboxes/removed/"
    assert root.post(f"/mailboxes/{mailbox.pk}/restoral/").url == f"/mailboxes/{mailbox.pk}/"
    assert ANN in text(root.get("/mailboxes/"))


def test_a_removal_first_says_what_follows(root):
    mailbox = an_owner()
    a_message(mailbox, octets=MB)
    aliases.ensure("info@example.org", [ANN], actor=ACTOR)
    aliases.ensure("team@example.org", [ANN, "bob@elsewhere.example"], actor=ACTOR)
    page = text(root.get(f"/mailboxes/{mailbox.pk}/removal/"))
    assert "stops fetching" not in page, "nobody has signed in yet"
    assert "info@example.org" in page
    assert "team@example.org" not in page
    assert "with its mail (1 MB)" in page
    assert Mailbox.objects.filter(removed_at=None).exists()


def test_one_on_hold_is_not_removed(root):
    mailbox = an_owner(held=True)
    assert "Remove mailbox" not in text(root.get(f"/mailboxes/{mailbox.pk}/removal/"))
    assert "on hold" in text(root.post(f"/mailboxes/{mailbox.pk}/removal/", follow=True))
    mailbox.refresh_from_db()
    assert mailbox.removed_at is None


def test_the_admin_of_his_domain_does_not_take_over_an_owner_who_administers_another(carla):
    mailbox = an_owner()
    a_domain("other.example")
    grants.grant(ANN, "other.example", actor=ACTOR)
    for way in ("password", "letter"):
        page = text(carla.post(f"/mailboxes/{mailbox.pk}/{way}/", follow=True))
        assert "ann@example.org administers other domains: ask a hosting admin" in page
        assert "/password/invitation/" not in page
    assert User.objects.get(address=ANN).check_password(PASSWORD)
    assert not AuditEntry.objects.filter(verb__in=("mailbox.password", "mailbox.letter")).exists()


@pytest.mark.parametrize("page", ["", "edit/", "password/"])
def test_anothers_mailbox_is_404_and_told_to_the_audit(carla, page):
    foreign = an_owner("ann@other.example")
    assert carla.get(f"/mailboxes/{foreign.pk}/{page}").status_code == 404
    for act in ("edit/", "password/", "suspension/", "removal/", "restoral/"):
        assert carla.post(f"/mailboxes/{foreign.pk}/{act}", {"suspended": "yes"}).status_code == 404
    entries = AuditEntry.objects.filter(verb="denied", mailbox=foreign)
    assert {entry.subject for entry in entries} == {"ann@other.example"}
    assert entries.count() == 6
    assert carla.get("/mailboxes/987654321/").status_code == 404


def choose(client: Client, act: str, *rows: Mailbox) -> str:
    """Tick the rows and press the button; returns where the act is asked and foretold."""
    keys = [row.pk for row in rows]
    answer = client.post("/mailboxes/", {"on_page": keys, "ticked": keys, "bulk": act})
    assert answer.status_code == 302
    return answer.url


def done(client: Client, url: str, **fields: str) -> str:
    mark = previewed(text(client.post(url, {"preview": "", **fields})))
    return text(client.post(url, {"do": "", "previewed": mark, **fields}, follow=True))


def undone(client: Client) -> str:
    return text(client.post(f"/mailboxes/results/{Job.objects.latest('pk').pk}/undo/", follow=True))


def test_many_are_suspended_with_a_preview_a_result_each_and_undone(root):
    ann, bob = an_owner(), an_owner("bob@example.org", suspended=True)
    url = choose(root, "suspend", ann, bob)
    page = text(root.get(url))
    assert "1 mailbox will be suspended." in page
    assert "1 mailbox is already suspended." in page
    assert User.objects.get(address=ANN).is_active
    page = done(root, url)
    assert "suspended: no → yes" in page
    assert "already had this setting" in page
    assert not User.objects.get(address=ANN).is_active
    assert "previous setting restored" in undone(root)
    assert User.objects.get(address=ANN).is_active
    assert not User.objects.get(address="bob@example.org").is_active


def test_nothing_is_done_by_a_preview_and_a_wrong_quota_is_told(root):
    ann = an_owner()
    a_message(ann, octets=2 * MB)
    url = choose(root, "quota", ann)
    assert "Write a number" in text(root.post(url, {"preview": "", "quota_octets": "lots"}))
    assert "1024 could be 1024 bytes or 1024 MB" in text(root.post(url, {"preview": "", "quota_octets": "1024"}))
    page = text(root.post(url, {"preview": "", "quota_octets": "1 MB"}))
    assert "1 mailbox contains more than that" in page
    ann.refresh_from_db()
    assert ann.quota_octets is None
    assert "no limit → 1 MB" in done(root, url, quota_octets="1 MB")


def test_nothing_is_done_unseen(root):
    ann = an_owner()
    url = choose(root, "quota", ann)
    assert "changed since the preview" in text(root.post(url, {"do": "", "quota_octets": "1 MB"}))
    token = previewed(text(root.post(url, {"preview": "", "quota_octets": "1 GB"})))
    page = text(root.post(url, {"do": "", "previewed": token, "quota_octets": "1 MB"}))
    assert "changed since the preview" in page
    assert not Job.objects.exists()
    root.post(url, {"do": "", "previewed": previewed(page), "quota_octets": "1 MB"})
    ann.refresh_from_db()
    assert ann.quota_octets == MB


def test_what_is_chosen_must_be_what_was_shown(root):
    """Another row was ticked in another window, or all were chosen and one more has come."""
    ann, bob = an_owner(), an_owner("bob@example.org")
    url = choose(root, "suspend", ann)
    token = previewed(text(root.get(url)))
    root.post("/mailboxes/", {"on_page": [ann.pk, bob.pk], "ticked": [bob.pk]})
    assert "changed since the preview" in text(root.post(url, {"do": "", "previewed": token}))
    root.post("/mailboxes/", {"choose": "all"})
    token = previewed(text(root.get(url)))
    assert root.post(url.replace("suspend", "remove"), {"do": "", "previewed": token}).status_code == 200
    an_owner("eve@example.org")
    assert "changed since the preview" in text(root.post(url, {"do": "", "previewed": token}))
    assert not Job.objects.exists()


def test_what_somebody_changed_since_is_not_undone(root):
    ann = an_owner()
    done(root, choose(root, "quota", ann), quota_octets="1 MB")
    mailboxes.ensure(ANN, actor=ACTOR, quota_octets=5 * MB)
    assert "changed it since" in undone(root)
    ann.refresh_from_db()
    assert ann.quota_octets == 5 * MB


def test_what_others_have_lifted_and_set_again_is_not_undone_with_an_older_job(root):
    ann = an_owner()
    done(root, choose(root, "suspend", ann))
    for suspended in (False, True):
        mailboxes.ensure(ANN, actor=ACTOR, suspended=suspended)
    assert "changed it since" in undone(root)
    assert not User.objects.get(address=ANN).is_active


def test_a_policy_and_switches_are_set_for_many_and_undone(root):
    ann, policy = an_owner(), RetentionPolicy.objects.create(name="Brief")
    done(root, choose(root, "policy", ann), policy=str(policy.pk))
    ann.refresh_from_db()
    assert ann.policy == policy
    undone(root)
    ann.refresh_from_db()
    assert ann.policy is None
    url = choose(root, "switches", ann)
    assert "at least one service" in text(root.post(url, {"preview": ""}))
    done(root, url, pop="false", receives="false")
    ann.refresh_from_db()
    assert (ann.pop, ann.receives, ann.web) == (False, False, True)
    undone(root)
    ann.refresh_from_db()
    assert (ann.pop, ann.receives) == (True, True)


def test_a_field_that_an_earlier_version_had_is_passed_over_by_an_undo(root):
    ann = an_owner()
    done(root, choose(root, "switches", ann), pop="false")
    JobRow.objects.update(undo_data={"pop": [True, False], "imap": [True, False]})
    undone(root)
    ann.refresh_from_db()
    assert ann.pop


def test_many_must_choose_a_new_password(root):
    ann = an_owner()
    url = choose(root, "password", ann)
    assert "1 owner will have to choose a new password." in text(root.get(url))
    done(root, url)
    ann.user.refresh_from_db()
    assert ann.user.must_change_password
    undone(root)
    ann.user.refresh_from_db()
    assert not ann.user.must_change_password


def test_many_are_removed_but_for_those_on_hold_and_brought_back(root):
    ann, bob = an_owner(), an_owner("bob@example.org", held=True)
    url = choose(root, "remove", ann, bob)
    page = text(root.get(url))
    assert "1 mailbox will be removed." in page
    assert "1 mailbox is on hold and will not be removed." in page
    assert "lift the hold first" in done(root, url)
    assert [row.user.address for row in Mailbox.objects.filter(removed_at=None)] == ["bob@example.org"]
    undone(root)
    assert Mailbox.objects.filter(removed_at=None).count() == 2


def test_all_that_a_filter_finds_is_changed_and_nothing_else(root):
    for address in (ANN, "anna@example.org", "bob@example.org"):
        an_owner(address)
    root.post("/mailboxes/", {"choose": "all", "here": "?q=ann"})
    url = root.post("/mailboxes/", {"bulk": "suspend", "here": "?q=ann"}).url
    done(root, url)
    assert [user.address for user in User.objects.filter(is_active=True).order_by("address")] == [
        "bob@example.org",
        "root",
    ]


def test_nothing_chosen_is_told(root):
    assert "Nothing is selected" in text(root.get("/mailboxes/bulk/suspend/"))
    assert root.get("/mailboxes/bulk/explode/").status_code == 404
    assert root.get("/mailboxes/results/1/").status_code == 404


def test_a_domain_admin_reaches_no_others_by_what_his_session_keeps(carla):
    own, foreign = an_owner(), an_owner("ann@other.example")
    url = choose(carla, "suspend", own)
    session = carla.session
    session["chosen:mailboxes"] = {"keys": [own.pk, foreign.pk], "found_by": None}
    session.save()
    assert "ann@other.example" not in text(carla.get(url))
    done(carla, url)
    assert User.objects.get(address="ann@other.example").is_active


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"state": "suspended"}, {"off"}),
        ({"state": "held"}, {"held"}),
        ({"state": "devices-only"}, {"devices"}),
        ({"usage": "90"}, {"full", "many"}),
        ({"usage": "100"}, {"full"}),
        ({"usage": "free"}, {"off", "held", "devices"}),
        ({"seen": "never"}, {"off", "held", "devices", "full", "many"}),
        ({"domain": "example.org"}, {"off", "held", "devices", "full", "many"}),
        ({"domain": "ample"}, {"off", "held", "devices", "full", "many"}),
        ({"q": "hel", "state": "held"}, {"held"}),
    ],
)
def test_the_filters(root, query, found):
    an_owner("off@example.org", suspended=True)
    an_owner("held@example.org", held=True)
    an_owner("devices@example.org", main_pop=False)
    an_owner("full@example.org", quota_octets=100)
    an_owner("many@example.org", quota_messages=10)
    Mailbox.objects.filter(user__address="full@example.org").update(octets=100)
    Mailbox.objects.filter(user__address="many@example.org").update(messages=9)
    page = root.get("/mailboxes/", query).context["page"]
    assert {row.user.address.partition("@")[0] for row in page.rows} == found


@pytest.mark.parametrize(
    ("days", "found"),
    [
        ("44", {"idle", "old"}),
        ("45", {"old"}),
        ("400", set()),
        ("0", {"idle", "old", "new"}),
        ("x", {"idle", "old", "new"}),
        ("9" * 20, {"idle", "old", "new"}),
    ],
)
def test_who_has_not_signed_in_for_any_number_of_days(root, days, found):
    """Who never did counts from when the mailbox was made; what is no number of days narrows nothing."""
    ago = {"idle": 44, "old": 399, "new": 0}
    for name, passed in ago.items():
        at = timezone.now() - timedelta(days=passed, minutes=1)
        mailbox = an_owner(f"{name}@example.org")
        field = "created_at" if name == "old" else "last_sign_in_at"
        Mailbox.objects.filter(pk=mailbox.pk).update(**{field: at})
    answer = root.get("/mailboxes/", {"idle": days})
    assert {row.user.address.partition("@")[0] for row in answer.context["page"].rows} == found
    assert '<option value="90">' in text(answer)


def test_the_filter_of_a_policy_finds_those_that_follow_it_by_their_domain_too(root):
    site = RetentionPolicy.objects.create(name="Site", site=True)
    brief = RetentionPolicy.objects.create(name="Brief")
    an_owner("own@one.example", policy=brief)
    an_owner("by-domain@two.example")
    Mailbox.objects.get(user__address="by-domain@two.example").domain.__class__.objects.filter(
        name="two.example"
    ).update(policy=brief)
    an_owner("by-site@three.example")

    def found(policy: str) -> set[str]:
        rows = root.get("/mailboxes/", {"policy": policy}).context["page"].rows
        return {row.user.address.partition("@")[0] for row in rows}

    assert found(str(brief.pk)) == {"own", "by-domain"}
    assert found(str(site.pk)) == {"by-site"}
    assert found("none") == set()


def test_the_list_is_a_file_too(root):
    an_owner(name="=cmd()")
    answer = root.get("/mailboxes/?export=csv")
    body = b"".join(answer.streaming_content).decode()
    assert answer["Content-Type"].startswith("text/csv")
    assert f"{ANN},'=cmd()," in body


def test_a_quota_below_1_mb_is_confirmed_in_the_form_and_for_many(root):
    mailbox = an_owner()
    path = f"/mailboxes/{mailbox.pk}/edit/"
    seen = root.get(path).context["form"]["seen"].value()
    small = {**SWITCHES, "seen": seen, "quota_octets": "7", "quota_octets_unit": "KB"}
    refused = root.post(path, small)
    assert "Less than 1 MB is hardly room for a message." in text(refused)
    assert 'name="quota_octets_small"' in text(refused)
    assert root.post(path, {**small, "quota_octets_small": "on"}).status_code == 302
    mailbox.refresh_from_db()
    assert mailbox.quota_octets == 7 * 1024
    url = root.post("/mailboxes/", {"ticked": [mailbox.pk], "bulk": "quota"}).url
    many = {"quota_octets": "9", "quota_octets_unit": "KB", "preview": ""}
    assert 'name="quota_octets_small"' in text(root.post(url, many))
    mailbox.refresh_from_db()
    assert mailbox.quota_octets == 7 * 1024
