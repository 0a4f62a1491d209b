"""`sweep`: one pass and its figures, a dry run, and a clock that ends cleanly on SIGTERM."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from mailstore.bodies.files import FileBodies
from mailstore.models import Message
from mailstore.retention.sweep import SweepResult
from tests.management.command_runner import MANAGE, environment, one_line, process
from tests.site.rows import a_mailbox, a_message

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def folder(tmp_path: Path) -> str:
    FileBodies(tmp_path / "bodies").prepare()
    a_message(a_mailbox(), removed_at=timezone.now() - timedelta(days=31))
    return str(tmp_path)


def test_a_dry_run_counts_and_a_pass_does(folder: str) -> None:
    figures = {field.name: 0 for field in fields(SweepResult)} | {"messages": 1}
    dry = process("sweep", "--dry-run", "--json", POPADMIN_DATA_DIR=folder)
    assert (dry.returncode, json.loads(dry.stdout), Message.objects.count()) == (0, figures, 1)
    done = process("sweep", "--json", POPADMIN_DATA_DIR=folder)
    assert (done.returncode, json.loads(done.stdout), Message.objects.count()) == (0, figures, 0)


def test_a_body_store_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    done = process("sweep", POPADMIN_DATA_DIR=str(tmp_path))
    assert done.returncode == 1
    assert "is not a mail store now" in one_line(done.stderr)


@pytest.mark.parametrize("text", ["0", "-1", "soon", "9" * 100])
def test_a_pause_that_cannot_be_is_usage(text: str) -> None:
    assert process("sweep", "--every", text).returncode == 2


def test_the_clock_makes_a_pass_at_once_and_ends_cleanly_when_told(folder: str) -> None:
    child = subprocess.Popen(
        [sys.executable, "-u", str(MANAGE), "sweep", "--every", "3600"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(POPADMIN_DATA_DIR=folder),
    )
    assert child.stdout is not None
    assert child.stdout.readline().startswith(b"messages 1,")
    os.kill(child.pid, signal.SIGTERM)
    assert child.communicate(timeout=30) == (b"", b"")
    assert child.returncode == 0


def test_the_clock_outlives_a_pass_that_fails(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-u", str(MANAGE), "sweep", "--every", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(POPADMIN_DATA_DIR=str(tmp_path)),
    )
    assert child.stderr is not None
    assert b"the next pass tries again" in child.stderr.readline()
    FileBodies(tmp_path / "bodies").prepare()
    assert child.stdout is not None
    assert child.stdout.readline().startswith(b"messages 0,")
    child.terminate()
    child.communicate(timeout=30)
