"""A UIDL that a mailbox has shown is never given to another message of it: no client would fetch that message."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone

from mailstore import bodies, conf
from mailstore.delivery.message_writer import fresh_id
from mailstore.directory import mailbox_removal
from mailstore.messages import recovery
from mailstore.messages.recovery import ALL
from mailstore.models import ImportedSource, Mailbox, Message
from mailstore.policy import sortable_ids
from mailstore.retention import sweep
from mailstore.transfer import mail_import
from mailstore.transfer.import_writer import ImportedMessage, ImportWriter, Outcome, writer_on
from tests.site.mail import Mail
from tests.site.rows import ACTOR, a_mailbox, a_message
from tests.site.worker import conninfo

pytestmark = pytest.mark.django_db(transaction=True)
ANN = "ann@example.org"
OTHER = b"\2" * 16  # a source whose message has no UIDL to keep


@pytest.fixture(autouse=True)
def own_site(settings: LazySettings, tmp_path: Path) -> None:
    settings.DATABASE_CONNINFO = conninfo()
    settings.MAIL_STORE_URL = f"file:{tmp_path / 'data' / 'bodies'}"
    bodies.from_url(settings.MAIL_STORE_URL).prepare()


def import_message(folder: Path, uidl: str, text: str) -> str:
    """Import one message with this X-UIDL; return the UIDL it has."""
    path = folder / text
    path.write_bytes(f"From a@x.org Sat Jan  3 01:05:34 1996\nX-UIDL: {uidl}\n\n{text}\n".encode())
    warnings: list[str] = []
    done = mail_import.run(ANN, path, actor=ACTOR, warn=warnings.append)
    made = Message.objects.latest("pk").uidl
    assert (done.imported, done.renamed) == (1, int(made != uidl))
    assert all(f"its UIDL '{uidl}' is or was that of another message" in text for text in warnings)
    assert len(warnings) == done.renamed
    return made


def leave() -> None:
    recovery.remove(ANN, list(Message.objects.filter(removed=None).values_list("pk", flat=True)), actor=ACTOR)


def purge_by_a_person() -> None:
    recovery.purge_now(ANN, ALL, actor=ACTOR)


def purge_by_the_sweep() -> None:
    Message.objects.update(removed_at=timezone.now() - timedelta(days=31))
    sweep.run(bodies.from_url(conf.load().mail_store_url))


PURGES = pytest.mark.parametrize("purge", [purge_by_a_person, purge_by_the_sweep])


def made_here() -> str:
    """A message that was delivered now, gone to recovery; return its UIDL."""
    message = a_message(Mailbox.objects.get(), removed_at=timezone.now())
    Message.objects.filter(pk=message.pk).update(uidl=fresh_id())
    message.refresh_from_db()
    return message.uidl


@PURGES
def test_an_imported_uidl_is_not_given_again_after_a_purge(tmp_path: Path, purge: Callable[[], None]) -> None:
    a_mailbox()
    assert import_message(tmp_path, "abc", "first") == "abc"
    leave()
    purge()
    assert not Message.objects.exists()
    assert import_message(tmp_path, "abc", "second") != "abc"
    assert import_message(tmp_path, "abd", "third") == "abd"


@PURGES
def test_a_uidl_that_was_made_here_is_not_given_again_after_a_purge(tmp_path: Path, purge: Callable[[], None]) -> None:
    a_mailbox()
    uidls = [made_here(), made_here()]
    purge()
    assert not Message.objects.exists()
    assert [import_message(tmp_path, uidl, uidl) in uidls for uidl in uidls] == [False, False]


def test_a_uidl_that_was_given_up_for_a_new_one_is_not_given_again(tmp_path: Path) -> None:
    a_mailbox()
    uidls = [import_message(tmp_path, "abc", "first"), made_here()]
    leave()
    recovery.restore(ANN, ALL, actor=ACTOR, new_uidls=True)
    assert not Message.objects.filter(uidl__in=uidls).exists()
    assert [import_message(tmp_path, uidl, uidl) in uidls for uidl in uidls] == [False, False]


def test_a_uidl_of_a_message_that_rests_is_not_given_again(tmp_path: Path) -> None:
    a_mailbox()
    import_message(tmp_path, "abc", "first")
    leave()
    assert import_message(tmp_path, "abc", "second") != "abc"


def test_a_uidl_of_the_same_form_from_another_site_is_kept_where_it_cannot_have_been_made_here(tmp_path: Path) -> None:
    a_mailbox()
    before = sortable_ids.new_id(time.time_ns() // 1_000_000 - 60_000, bytes(sortable_ids.RANDOM_OCTETS))
    made_here()
    purge_by_a_person()
    later = fresh_id()
    assert [import_message(tmp_path, uidl, uidl) for uidl in (before, later)] == [before, later]
    leave()
    purge_by_a_person()
    assert import_message(tmp_path, before, "again") != before


def test_a_mailbox_that_is_made_anew_has_shown_nothing(tmp_path: Path) -> None:
    a_mailbox()
    import_message(tmp_path, "abc", "first")
    mailbox_removal.remove(ANN, actor=ACTOR, with_mail=True)
    mailbox_removal.purge_now(ANN, actor=ACTOR)
    assert not ImportedSource.objects.exists()
    a_mailbox()
    assert import_message(tmp_path, "abc", "second") == "abc"


def test_of_two_imports_at_once_the_second_is_told_that_the_uidl_is_spent_and_not_that_it_was_here(
    mail: Mail,
) -> None:
    box = a_mailbox()

    async def placed(writer: ImportWriter, *sources: bytes) -> list[Outcome]:
        rows = []
        for source in sources:
            draft = writer.begin()
            draft.write(b"x\r\n")
            uidl = "abc" if source != OTHER else None
            rows.append(ImportedMessage(await writer.store(draft, 3), source, None, uidl, source))
        return await writer.place(rows)

    with asyncio.Runner() as runner, writer_on(runner, conf.load(), box.pk, b"place") as writer:
        assert runner.run(placed(writer, b"\0" * 16)) == [Outcome.IMPORTED]
        leave()
        purge_by_a_person()
        assert runner.run(placed(writer, OTHER, b"\1" * 16)) == [Outcome.IMPORTED, Outcome.UIDL_TAKEN]
        assert runner.run(placed(writer, OTHER)) == [Outcome.PRESENT]


def test_the_migration_remembers_what_mail_from_before_has_shown(tmp_path: Path) -> None:
    a_mailbox()
    imported, made = import_message(tmp_path, "abc", "first"), made_here()
    ImportedSource.objects.update(uidl_digest=None)
    Mailbox.objects.update(spent_uidl="")
    old = import_module("mailstore.migrations.0013_uidls_of_old_mail")
    with connection.cursor() as cursor:
        cursor.execute(old.DIGESTS)
        cursor.execute(old.DIGESTS)
    old.spend(apps, None)
    Message.objects.all().delete()
    Mailbox.objects.update(messages=0, octets=0, recovery_messages=0, recovery_octets=0)
    assert [import_message(tmp_path, uidl, f"again {uidl}") == uidl for uidl in (imported, made)] == [False, False]
