"""The list of moves: each with its state and the reason of a failure; pull again, and end a move."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from mailstore.directory import domains, grants, mailbox_moves, mailbox_rename
from mailstore.directory.outcome import Rejected
from mailstore.models import AuditEntry, Mailbox, MailboxMove
from tests.panel.test_bulk_jobs import all_of, stepped
from tests.site.page_users import an_admin, signed_in
from tests.site.rows import ACTOR, PASSWORD, a_mailbox

pytestmark = pytest.mark.django_db
URL = "/mailboxes/moves/"
State, Reason = MailboxMove.State, MailboxMove.Reason


def a_move(name: str = "ann", domain: str = "example.org", **values: object) -> MailboxMove:
    address = f"{name}@{domain}"
    a_mailbox(address)
    domains.ensure(domain, actor=ACTOR, old_server="pop3s://mail.old.example")
    mailbox_moves.mark(address, actor=ACTOR)
    MailboxMove.objects.filter(mailbox__user__address=address).update(**values)
    return MailboxMove.objects.get(mailbox__user__address=address)


def test_each_mailbox_has_its_state_in_words() -> None:
    an_admin()
    a_move("ann")
    a_move("bob", state=State.MOVING, messages=160, total=400)
    a_move("cleo", state=State.MOVED, moved_at=timezone.now())
    a_move("dan", state=State.FAILED, reason=Reason.PASSWORD, detail="[AUTH] no")
    a_move("eve", moved_at=timezone.now())
    text = signed_in("root").get(URL).content.decode()
    for words in (
        "waiting for a sign-in",
        "moving, 40 %",
        "the old server does not take the password any more ([AUTH] no)",
        "pulls again at the next sign-in",
        "pop3s://mail.old.example",
    ):
        assert words in text, words
    failed = signed_in("root").get(URL, {"state": "failed"}).content.decode()
    assert "dan@" in failed
    assert "ann@" not in failed


def test_a_domain_admin_sees_the_moves_of_the_own_domain_alone() -> None:
    own, other = a_move("ann"), a_move("ann", "other.org", state=State.MOVED)
    grants.ensure("ann@example.org", ["example.org"], actor=ACTOR)
    client = signed_in("ann@example.org")
    text = client.get(URL).content.decode()
    assert "ann@example.org" in text
    assert "ann@other.org" not in text
    assert client.post(f"{URL}{other.pk}/again/").status_code == 404
    assert client.post(f"{URL}{other.pk}/end/").status_code == 404
    assert client.post(f"{URL}{own.pk}/end/").status_code == 302


def test_what_came_since_is_pulled_at_the_next_sign_in() -> None:
    an_admin()
    move = a_move(state=State.MOVED, moved_at=timezone.now(), messages=4, total=4)
    answer = signed_in("root").post(f"{URL}{move.pk}/again/", follow=True)
    assert "At the next sign-in of ann@example.org" in answer.content.decode()
    move.refresh_from_db()
    assert (move.state, move.messages, move.total) == (State.WAITING, 0, None)
    assert AuditEntry.objects.filter(verb="move.again").count() == 1


def test_a_move_that_ends_leaves_the_mailbox_as_it_is() -> None:
    an_admin()
    move = a_move()
    signed_in("root").post(f"{URL}{move.pk}/end/")
    assert not MailboxMove.objects.exists()
    assert mailbox_moves.pending(move.mailbox) is None
    assert AuditEntry.objects.filter(verb="move.unmark").count() == 1


def test_the_end_of_a_move_is_undone_as_it_was_from_the_notice_and_from_recent_operations() -> None:
    an_admin()
    moved_at = timezone.now() - timedelta(days=1)
    move = a_move(
        state=State.FAILED, moved_at=moved_at, messages=3, total=9, reason=Reason.LOST, former_address="a@b.example"
    )
    before = MailboxMove.objects.values().get()
    root = signed_in("root")
    notice = root.post(f"{URL}{move.pk}/end/", follow=True).content.decode()
    undo = f"{URL}ended/{AuditEntry.objects.get(verb='move.unmark').pk}/restoral/"
    for page in (notice, root.get("/operations/?kind=removal").content.decode()):
        assert f'action="{undo}"' in page
    assert "goes on where it was" in root.post(undo, follow=True).content.decode()
    assert MailboxMove.objects.values().get() == before
    assert "cannot be undone any more" in root.post(undo, follow=True).content.decode()
    assert "Already undone" in root.get("/operations/").content.decode()


def test_a_move_under_way_that_ended_waits_for_the_next_sign_in_when_it_is_undone() -> None:
    move = a_move(state=State.MOVING, messages=3, total=9)
    entry = mailbox_moves.unmark("ann@example.org", actor=ACTOR)
    assert entry is not None
    assert mailbox_moves.restore(entry, actor=ACTOR).state == State.WAITING
    mailbox_moves.unmark("ann@example.org", actor=ACTOR)
    domains.ensure("example.org", actor=ACTOR, old_server=None)
    with pytest.raises(Rejected, match="has no old server"):
        mailbox_moves.restore(entry, actor=ACTOR)
    assert move.mailbox_id == entry.mailbox_id


def test_the_settings_of_a_domain_name_its_old_server() -> None:
    an_admin()
    move = a_move()
    text = signed_in("root").get(f"/domains/{move.mailbox.domain_id}/settings/").content.decode()
    assert "pop3s://mail.old.example" in text
    assert f"{URL}?domain=example.org" in text


def test_a_failed_move_waits_some_minutes_before_the_next_sign_in_tries_again() -> None:
    move = a_move(state=State.FAILED, since=timezone.now())
    pending = mailbox_moves.pending(move.mailbox)
    assert pending is not None
    assert (pending.due, pending.arrived) == (False, False)
    MailboxMove.objects.update(since=timezone.now() - timedelta(minutes=6))
    pending = mailbox_moves.pending(move.mailbox)
    assert pending is not None
    assert pending.due


def marked() -> set[str]:
    return set(MailboxMove.objects.values_list("mailbox__user__address", flat=True))


def test_many_mailboxes_are_marked_at_once_and_the_marks_are_taken_back() -> None:
    an_admin()
    for name in ("ann", "bob"):
        a_mailbox(f"{name}@example.org")
    a_mailbox("cleo@other.org")
    domains.ensure("example.org", actor=ACTOR, old_server="pop3s://mail.old.example")
    root = signed_in("root")
    assert "?move=unmarked" in root.get(URL).text
    found = root.get("/mailboxes/", {"move": "unmarked"}).text
    assert "bob@" in found
    assert "cleo@" not in found
    page = all_of(root, "moves", still_there="yes")
    stepped(root, page)
    assert marked() == {"ann@example.org", "bob@example.org"}
    assert "other.org has no old server" in root.get(page, {"fate": "bad"}).text
    MailboxMove.objects.filter(mailbox__user__address="bob@example.org").update(state=State.MOVING)
    root.post(f"{page}undo/")
    stepped(root, page)
    assert marked() == {"bob@example.org"}
    assert "its mail moves already" in root.get(page, {"fate": "bad"}).text


def test_many_moves_are_ended_at_once_and_those_that_had_not_begun_are_marked_again_by_undo() -> None:
    an_admin()
    a_move("ann")
    a_move("bob", state=State.MOVED, moved_at=timezone.now())
    root = signed_in("root")
    root.post("/mailboxes/", {"choose": "all"})
    preview = root.post(root.post("/mailboxes/", {"bulk": "moves"}).url, {"still_there": "no"})
    assert "The moves of 2 mailboxes will end" in preview.text
    page = all_of(root, "moves", still_there="no")
    stepped(root, page)
    assert marked() == set()
    root.post(f"{page}undo/")
    stepped(root, page)
    assert marked() == {"ann@example.org"}


def test_a_domain_admin_marks_the_mailboxes_of_the_own_domain_alone() -> None:
    a_mailbox("ann@example.org")
    a_mailbox("cleo@other.org")
    for name in ("example.org", "other.org"):
        domains.ensure(name, actor=ACTOR, old_server="pop3s://mail.old.example")
    grants.ensure("carla", ["example.org"], actor=ACTOR, password=PASSWORD)
    carla = signed_in("carla")
    stepped(carla, all_of(carla, "moves", still_there="yes"))
    assert marked() == {"ann@example.org"}


def test_the_page_of_a_mailbox_says_how_far_its_move_is() -> None:
    an_admin()
    move = a_move(state=State.MOVING, messages=160, total=400)
    root, url = signed_in("root"), f"/mailboxes/{move.pk}/"
    assert "moving, 40 %" in root.get(url).text
    MailboxMove.objects.update(state=State.FAILED, reason=Reason.LOST, detail="timed out")
    assert "cannot be reached, or was cut off (timed out)" in root.get(url).text
    MailboxMove.objects.all().delete()
    assert "Old server" not in root.get(url).text


def test_the_list_says_by_which_name_the_old_server_knows_a_mailbox() -> None:
    an_admin()
    a_move()
    mailbox_rename.rename("ann@example.org", "anna@example.org", actor=ACTOR)
    assert "as ann@example.org" in signed_in("root").get(URL).text
    assert Mailbox.objects.get().user.address == "anna@example.org"
