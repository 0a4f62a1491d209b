"""The role by which the MTAs of tests look addresses up. It belongs to the whole cluster, so all tests share it."""

from __future__ import annotations

from tests.management.command_runner import process
from tests.up.programs import until

PASSWORD = "of the mta, 24 letters long"


def granted() -> str:
    """Let the role read the views of this test's database; return its password."""
    line = f"{PASSWORD}\n".encode()
    # Two processes of a test run cannot change a role at the same moment.
    until(lambda: process("mta", "grant", "--password-stdin", stdin=line).returncode == 0, "the role is there")
    return PASSWORD
