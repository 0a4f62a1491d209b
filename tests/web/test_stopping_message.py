"""A mail program stops at one message: owner and admin read which one, and move it to recovery after a question."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from mailstore.directory import grants
from mailstore.messages import message_file
from mailstore.models import AuditEntry, Finding, Message
from mailstore.retention import stopping_message, sweep
from tests.owner.mail import a_device, a_letter, a_session
from tests.site.page_users import ANN, an_admin, an_owner, signed_in
from tests.site.rows import ACTOR, PASSWORD

pytestmark = pytest.mark.django_db
SUBJECT = "A long line"


def a_stopped_program(address: str = ANN) -> Finding:
    """Its sessions of two days end at a message with a line of 5,000 octets, as the sweep finds it."""
    box = an_owner(address)
    a_letter(box, "Before it")
    letter = a_letter(box, SUBJECT, text="x" * 5000)
    device = a_device(box, "Old PC")
    upto = f"{{[1,{letter.added + 1})}}"
    for hours in (1, 20, 40):
        a_session(device, ago=timedelta(hours=hours), fetched=upto, fetched_messages=2, listed=4, ended="lost")
    assert sweep.run(message_file.site_store(), now=timezone.now()).findings == 1
    return Finding.objects.get(mailbox=box)


def stuck(finding: Finding) -> Message:
    return Message.objects.get(pk=finding.facts["message"])


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize(("text", "octets"), [(b"", 0), (b"abc\r\n", 3), (b"a\r\nlonger\r\nb\r\n", 6), (b"no end", 6)])
def test_the_longest_line_is_found_however_the_text_is_cut(text: bytes, octets: int, size: int) -> None:
    assert stopping_message.longest_line(text[at : at + size] for at in range(0, len(text), size)) == octets


def test_the_sweep_reads_the_longest_line_once() -> None:
    finding = a_stopped_program()
    assert finding.facts["line_octets"] == 5000
    finding.facts["line_octets"] = 1234  # would be put right by a second reading
    finding.save()
    sweep.run(message_file.site_store(), now=timezone.now())
    assert Finding.objects.get().facts["line_octets"] == 1234


def test_the_owner_confirms_and_the_program_goes_on() -> None:
    finding = a_stopped_program()
    client = signed_in(ANN)
    address = f"/mailbox/stopped/{finding.pk}/"
    home = client.get("/mailbox/").content.decode()
    assert "“Old PC” stops at one message" in home
    assert "One of its lines has 5,000 octets, and 998 are allowed." in home
    assert f'href="{address}"' in home
    page = client.get(address).content.decode()
    assert SUBJECT in page
    assert stuck(finding).removed is None
    assert client.post(address, follow=True).status_code == 200
    assert stuck(finding).removed_why == Message.Why.PERSON
    assert not Finding.objects.exists()
    assert client.get(address).status_code == 404
    client.post(f"/messages/{finding.facts['message']}/undo/")
    assert stuck(finding).removed is None


@pytest.mark.parametrize("admin", ["root", "carla"])
def test_an_admin_confirms_without_seeing_what_the_message_is_about(admin: str) -> None:
    finding = a_stopped_program()
    client = an_admin_of("example.org", admin)
    address = f"/mailboxes/{finding.mailbox_id}/stopped/{finding.pk}/"
    for path in (f"/mailboxes/{finding.mailbox_id}/", f"/mailboxes/{finding.mailbox_id}/devices/"):
        page = client.get(path).content.decode()
        assert "One of its lines has 5,000 octets" in page
        assert f'href="{address}"' in page
        assert SUBJECT not in page
    page = client.get(address).content.decode()
    assert "“Old PC” stops at one message" in page
    assert SUBJECT not in page
    assert client.post(address, follow=True).status_code == 200
    assert stuck(finding).removed is not None
    entry = AuditEntry.objects.get(verb="recovery.remove")
    assert (entry.actor_name, entry.mailbox) == (admin, finding.mailbox)


def test_nobody_moves_what_is_not_theirs() -> None:
    finding = a_stopped_program()
    other = an_owner("bob@elsewhere.example")
    address = f"/mailboxes/{finding.mailbox_id}/stopped/{finding.pk}/"
    assert an_admin_of("elsewhere.example", "carla").post(address).status_code == 404
    assert (
        an_admin_of("elsewhere.example", "dora")
        .post(address.replace(str(finding.mailbox_id), str(other.pk)))
        .status_code
        == 404
    )
    assert signed_in("bob@elsewhere.example").post(f"/mailbox/stopped/{finding.pk}/").status_code == 404
    assert stuck(finding).removed is None


def test_a_message_that_has_gone_meanwhile_is_told_in_the_form() -> None:
    finding = a_stopped_program()
    client = signed_in(ANN)
    client.post(f"/messages/{finding.facts['message']}/remove/")
    answer = client.post(f"/mailbox/stopped/{finding.pk}/")
    assert "The message is not in the mailbox any more" in answer.content.decode()


def an_admin_of(domain: str, login: str) -> Client:
    if login == "root":
        an_admin()
    else:
        grants.ensure(login, [domain], actor=ACTOR, password=PASSWORD)
    return signed_in(login)
