"""The loop of a worker, for tests of asynchronous code; answers arrive as in a listener, with a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import uvloop
from django.db import connection
from psycopg.conninfo import make_conninfo

from mailstore.errors import MailError
from mailstore.sql.connection_pool import ConnectionPool

T = TypeVar("T")
Ask = Callable[[Callable[[Any], None]], None]
LONGEST_SECONDS = 30.0
# The lanes' connections to the test's own database, the reading one first.
LANES = """
SELECT pid FROM pg_stat_activity
 WHERE application_name = 'popadmin' AND datname = current_database() AND pid <> pg_backend_pid()
 ORDER BY backend_start
"""


def conninfo() -> str:
    """Where the test's database is, for a connection of one's own."""
    settings = connection.settings_dict
    return make_conninfo(
        dbname=settings["NAME"], user=settings["USER"], host=settings["HOST"], port=settings["PORT"] or None
    )


def end_lanes() -> None:
    """End the lanes' connections from the server's side, as a restart does, and wait until they are gone."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_terminate_backend(pid, 5000) FROM ({LANES}) AS lanes")


def end(pids: list[int]) -> None:
    """End these connections where they have not ended, and wait until they are gone."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid = ANY(%s)", [pids])


def all_there(lanes: ConnectionPool) -> bool:
    """True when every lane is connected: one that is still coming would outlive its test."""
    return all(lane.connected for lane in (lanes._reads, *lanes._writes))


class Worker:
    """One loop, driven step by step. `faults` keeps what was raised where nobody could catch it."""

    def __init__(self) -> None:
        self.loop = uvloop.new_event_loop()
        self.faults: list[object] = []
        self.loop.set_exception_handler(lambda _, context: self.faults.append(context))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(asyncio.wait_for(work, LONGEST_SECONDS))

    def asked(self, *calls: Ask) -> list[Any]:
        """Make the calls in one turn of the loop; return their answers in order, each given exactly once."""
        return self.run(_answers(calls))

    def ask(self, call: Ask) -> Any:
        """Return the answer of one call; a MailError is an answer too."""
        return self.asked(call)[0]

    def get(self, call: Ask) -> Any:
        """Return the answer of one call that must not fail."""
        answer = self.ask(call)
        assert not isinstance(answer, MailError), answer
        return answer

    def until(self, holds: Callable[[], object], what: str) -> None:
        """Turn the loop until the condition holds; it may ask questions itself."""
        deadline = self.loop.time() + LONGEST_SECONDS
        while not holds():
            assert self.loop.time() < deadline, f"still not so: {what}; {self.faults}"
            self.run(asyncio.sleep(0.01))

    def close(self) -> None:
        self.loop.close()


async def _answers(calls: tuple[Ask, ...]) -> list[Any]:
    answers_by_call: list[list[Any]] = [[] for _ in calls]
    complete = asyncio.Event()

    def keep(index: int, answer: Any) -> None:
        answers_by_call[index].append(answer)
        if all(answers_by_call):
            complete.set()

    for index, call in enumerate(calls):
        call(lambda answer, index=index: keep(index, answer))
    await complete.wait()
    await asyncio.sleep(0)  # one more turn, for an answer that would be given twice
    assert [len(answers) for answers in answers_by_call] == [1] * len(calls), "a question was answered twice"
    return [answers[0] for answers in answers_by_call]
