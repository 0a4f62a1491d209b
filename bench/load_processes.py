"""Runs load processes and gathers what they saw; decides nothing about what is played."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bench.load import Job
from bench.talk import WrongAnswer

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Seen:
    """What all clients of a run saw together; latencies in seconds."""

    latencies: tuple[float, ...]
    octets_in: int
    resumed: int


class Crew:
    """Load processes that have read their job and wait for the word."""

    def __init__(self, job: Job, *, processes: int) -> None:
        shares = [job.users[index::processes] for index in range(processes)]
        self._members = [_start(replace(job, users=share)) for share in shares if share]
        for member in self._members:
            self._expect(member, "ready")

    def say(self, word: str) -> None:
        for member in self._members:
            _write(member, word)

    def expect(self, word: str) -> None:
        for member in self._members:
            self._expect(member, word)

    def _expect(self, member: subprocess.Popen[str], word: str) -> None:
        if (line := _read(member)) != word:
            raise WrongAnswer(f"a load process said {line!r} where {word!r} was due")

    def seen(self) -> Seen:
        """Wait for all to finish. Raises WrongAnswer when any client was refused anything."""
        answers: list[dict[str, Any]] = [json.loads(_read(member)) for member in self._members]
        if failures := [failure for answer in answers for failure in answer["failures"]]:
            raise WrongAnswer(f"{len(failures)} clients failed, the first: {failures[0]}")
        return Seen(
            latencies=tuple(value for answer in answers for value in answer["seconds"]),
            octets_in=sum(answer["octets_in"] for answer in answers),
            resumed=sum(answer["resumed"] for answer in answers),
        )

    def dismiss(self) -> None:
        for member in self._members:
            member.kill()
            member.communicate()


@contextmanager
def crew(job: Job, *, processes: int) -> Iterator[Crew]:
    """A crew that is gone afterwards, whatever happened."""
    with ExitStack() as stack:
        members = Crew(job, processes=processes)
        stack.callback(members.dismiss)
        yield members


def play(job: Job, *, processes: int) -> Seen:
    """Play a job that nobody measures."""
    with crew(job, processes=processes) as members:
        members.say("go")
        return members.seen()


def _start(job: Job) -> subprocess.Popen[str]:
    command: Sequence[str] = [sys.executable, "-m", "bench.load"]
    member = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    _write(member, json.dumps(asdict(job)))
    return member


def _write(member: subprocess.Popen[str], line: str) -> None:
    assert member.stdin
    member.stdin.write(line + "\n")
    member.stdin.flush()


def _read(member: subprocess.Popen[str]) -> str:
    assert member.stdout
    return member.stdout.readline().rstrip("\n")
