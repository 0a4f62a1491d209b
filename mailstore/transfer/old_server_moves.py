"""Asks old servers for passwords in threads, and starts the processes that move mail. For one worker or web process."""

from __future__ import annotations

import logging
import os
import secrets
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from threading import Lock

from django.contrib.auth.hashers import make_password

from mailstore.errors import Done, MailError, Overloaded, Throttled, Unavailable
from mailstore.policy import old_server
from mailstore.policy.ask_budget import AskBudget
from mailstore.ports import Move
from mailstore.transfer.sources.old_server_error import OldServerError, PasswordRefused
from mailstore.transfer.sources.pop3_client import Account, Session

log = logging.getLogger("popadmin.move")

ASK_SECONDS = 8.0  # for connection, TLS and sign-in; many servers wait two before they refuse a password
ASKING_AT_MOST = 4  # at the same time
WAITING_AT_MOST = 16  # with those that ask: more would wait longer than a mail program does
MOVING_AT_MOST = 2  # processes; each takes a core for some seconds per 10,000 messages
PAUSE_SECONDS = 60.0  # between two starts for one mailbox, if the first one ended at once


class OldServerMoves:
    """ports.OldServers. Threads ask; a process for each mailbox moves its mail."""

    def __init__(self, *, ask_seconds: float = ASK_SECONDS) -> None:
        self._ask_seconds = ask_seconds
        self._threads = ThreadPoolExecutor(ASKING_AT_MOST, thread_name_prefix="old-server")
        self._movers = ThreadPoolExecutor(MOVING_AT_MOST, thread_name_prefix="move")
        self._budget = AskBudget()
        self._key = secrets.token_bytes(32)  # of the digests of refused passwords, which are kept in memory alone
        self._lock = Lock()
        self._waiting = 0
        self._started: dict[int, float] = {}  # when the last process of each mailbox began
        self._processes: dict[int, subprocess.Popen[bytes] | None] = {}  # of the mailboxes that are being moved

    def ask(self, move: Move, password: str, done: Done[str | None]) -> None:
        """Ask in a thread; `done` is called there."""
        refusal = self._enter(move, password)
        if refusal is not None:
            done(refusal)
            return
        self._threads.submit(self._ask, move, password, done)

    def ask_and_wait(self, move: Move, password: str) -> str | None:
        """Ask in this thread. Returns our hash, or None if the old server refuses. Raises as `ask` answers."""
        refusal = self._enter(move, password)
        if refusal is not None:
            raise refusal
        answers: list[str | MailError | None] = []
        self._ask(move, password, answers.append)
        if isinstance(answers[0], MailError):
            raise answers[0]
        return answers[0]

    def away(self, server: str | None) -> bool:
        with self._lock:
            return self._budget.away(server, time.monotonic())

    def go_on(self, move: Move, password: str) -> None:
        now = time.monotonic()
        with self._lock:
            running = move.mailbox in self._processes or len(self._processes) >= MOVING_AT_MOST
            if running or now - self._started.get(move.mailbox, -PAUSE_SECONDS) < PAUSE_SECONDS:
                return
            self._started = {key: at for key, at in self._started.items() if now - at < PAUSE_SECONDS}
            self._started[move.mailbox] = now
            self._processes[move.mailbox] = None
        self._movers.submit(self._move, move, password)

    def close(self) -> None:
        """End threads and processes. The next sign-in of their mailboxes goes on."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._movers.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            processes = [process for process in self._processes.values() if process is not None]
        for process in processes:
            process.terminate()

    def _enter(self, move: Move, password: str) -> MailError | None:
        """Count a question, or return why it is not asked."""
        now = time.monotonic()
        with self._lock:
            if self._budget.exhausted(move.mailbox, self._digest(password), now):
                return Throttled("the old server refused this password, or too many of this mailbox")
            refusal: MailError
            if self._budget.silent(move.server, now):
                refusal = _left_alone(move)
            elif self._waiting >= WAITING_AT_MOST or self._budget.busy(now):
                refusal = Overloaded("too many ask old servers")
            else:
                self._waiting += 1
                return None
            self._budget.unanswered(move.server, now)
            return refusal

    def _ask(self, move: Move, password: str, done: Done[str | None]) -> None:
        try:
            answer = self._answer(move, password)
        except Exception as error:
            log.exception("an old server was not asked")
            answer = Unavailable(f"old server: {error!r}")
        finally:
            with self._lock:
                self._waiting -= 1
        done(answer)

    def _answer(self, move: Move, password: str) -> str | MailError | None:
        began = time.monotonic()
        with self._lock:
            if self._budget.silent(move.server, began):  # since this question waits for a thread
                return _left_alone(move)
        try:
            return self._answer_of_server(move, password)
        finally:
            now = time.monotonic()
            with self._lock:
                self._budget.waited(move.server, now, in_vain=now - began >= self._ask_seconds)

    def _answer_of_server(self, move: Move, password: str) -> str | MailError | None:
        account = Account(old_server.parse(move.server), move.user, password)
        try:
            Session(account, sign_in_seconds=self._ask_seconds).quit()
        except PasswordRefused:
            with self._lock:
                self._budget.answered(move.server)
                self._budget.refused(move.mailbox, self._digest(password), time.monotonic())
            return None
        except OldServerError as error:
            with self._lock:
                self._budget.unanswered(move.server, time.monotonic())
            return Unavailable(f"{move.server}: {error}")
        with self._lock:
            self._budget.answered(move.server)
        return make_password(password)

    def _digest(self, password: str) -> bytes:
        return blake2b(password.encode(errors="surrogatepass"), key=self._key, digest_size=16).digest()

    def _move(self, move: Move, password: str) -> None:
        """Run `move-mail` to its end. The password goes through a pipe, so no list of processes shows it."""
        path = os.pathsep.join(filter(None, sys.path))  # with the paths of this process: a checkout is not installed
        command = [sys.executable, "-m", "django", "move-mail", move.address, "--password-stdin"]
        try:
            process = subprocess.Popen(
                ["/usr/bin/env", f"PYTHONPATH={path}", *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # a Ctrl-C at the terminal ends it through `close`, once
            )
            with self._lock:
                self._processes[move.mailbox] = process
            process.communicate(password.encode() + b"\n")
        except OSError:
            log.exception("the mail of %s cannot be moved", move.address)
        finally:
            with self._lock:
                del self._processes[move.mailbox]


def _left_alone(move: Move) -> Unavailable:
    return Unavailable(f"{move.server}: it was too slow a moment ago")
