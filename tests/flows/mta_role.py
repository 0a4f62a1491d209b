"""The role by which the MTAs of tests look addresses up. It belongs to the whole cluster, so all tests share it."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from tests.management.command_runner import process

PASSWORD = "of the mta, 24 letters long"


def granted() -> str:
    """Let the role read the views of this test's database; return its password."""
    with one_worker_at_a_time():
        done = process("mta", "grant", "--password-stdin", stdin=f"{PASSWORD}\n".encode())
    assert done.returncode == 0, done.stderr
    return PASSWORD


@contextmanager
def one_worker_at_a_time() -> Iterator[None]:
    """Workers of the run have a database each, and the role together: two would make it at once."""
    with (settings.DATA_DIR.parent / "mta-role.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
