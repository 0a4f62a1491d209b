"""Starts load processes and collects their results. `load` has what each of them does."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bench.client import WrongAnswer
from bench.load import Job

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What all clients of a run measured together; latencies in seconds."""

    latencies: tuple[float, ...]
    octets_in: int
    resumed: int


class LoadProcesses:
    """Load processes that have read their job and wait for the line that starts it."""

    def __init__(self, job: Job, *, processes: int) -> None:
        shares = [job.users[index::processes] for index in range(processes)]
        self._processes = [_start(replace(job, users=share)) for share in shares if share]
        for process in self._processes:
            self._expect(process, "ready")

    def send(self, word: str) -> None:
        for process in self._processes:
            _write(process, word)

    def expect(self, word: str) -> None:
        for process in self._processes:
            self._expect(process, word)

    def _expect(self, process: subprocess.Popen[str], word: str) -> None:
        if (line := _read(process)) != word:
            raise WrongAnswer(f"a load process sent {line!r} instead of {word!r}")

    def result(self) -> LoadResult:
        """Wait for all to finish. WrongAnswer if a server refused anything to a client."""
        answers: list[dict[str, Any]] = [json.loads(_read(process)) for process in self._processes]
        if failures := [failure for answer in answers for failure in answer["failures"]]:
            raise WrongAnswer(f"{len(failures)} clients failed, the first: {failures[0]}")
        return LoadResult(
            latencies=tuple(value for answer in answers for value in answer["seconds"]),
            octets_in=sum(answer["octets_in"] for answer in answers),
            resumed=sum(answer["resumed"] for answer in answers),
        )

    def kill(self) -> None:
        for process in self._processes:
            process.kill()
            process.communicate()


@contextmanager
def load_processes(job: Job, *, processes: int) -> Iterator[LoadProcesses]:
    """Give the load processes of a job; they are killed at the end, also after an error."""
    with ExitStack() as stack:
        started = LoadProcesses(job, processes=processes)
        stack.callback(started.kill)
        yield started


def play(job: Job, *, processes: int) -> LoadResult:
    """Play a job that is not measured."""
    with load_processes(job, processes=processes) as started:
        started.send("go")
        return started.result()


def _start(job: Job) -> subprocess.Popen[str]:
    command: Sequence[str] = [sys.executable, "-m", "bench.load"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    _write(process, json.dumps(asdict(job)))
    return process


def _write(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin
    process.stdin.write(line + "\n")
    process.stdin.flush()


def _read(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().rstrip("\n")
