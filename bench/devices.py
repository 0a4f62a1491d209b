"""`python -m bench.devices`: the cost of devices on a large mailbox. popadmin alone, as no other server has devices.

One mailbox of 20,000 messages has only its main password. Another has five devices, each of which has deleted some of
the messages. Both are polled in turns. Then a device deletes a thousand messages, in one run and scattered. Then a
primary device deletes a thousand for all devices, and they are restored.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bench import certificate, meter, ours
from bench.load import sign_in
from bench.mail import PASSWORD
from bench.mailbox_groups import HUGE
from bench.workloads import create_mailboxes

NAMES = ("d0", "d1", "d2", "d3", "d4")
POLLS = 400
QUITS = 5
HIDDEN = 1_000
POLL_GOAL = 1.3  # times the poll with one view
QUIT_GOAL_MS = 20.0
RESTORE_GOAL_MS = 1000.0


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="popadmin-bench-") as folder, ExitStack() as stack:
        Path(folder).chmod(0o755)  # Postgres runs as somebody else
        site = ours.Ours(Path(folder) / "ours", meter.new("ours"), certificate.make(Path(folder)))
        stack.callback(site.meter.close)
        stack.callback(site.stop)
        site.start()
        create_mailboxes(site, [HUGE])
        plain, shared = HUGE.users
        secrets = site.devices(shared, NAMES)
        for place, secret in enumerate(secrets):
            delete(site, shared, secret, range(1 + 50 * place, 1000 + 50 * place, 7))
        report(site, plain, shared, secrets)
        report_restores(site, shared)


def report(site: ours.Ours, plain: str, shared: str, secrets: list[str]) -> None:
    alone, among = polls(site, [(plain, PASSWORD)], [(shared, secret) for secret in secrets])
    print(f"poll, one view:        p50 {alone:6.2f} ms")
    print(f"poll, {len(NAMES)} devices:       p50 {among:6.2f} ms  ratio {among / alone:.2f}  goal <= {POLL_GOAL}")
    shapes: dict[str, Callable[[int], Iterable[int]]] = {
        "in one run": lambda _turn: range(1, HIDDEN + 1),
        "every second one": lambda turn: range(1 + 10 * turn, 2 * HIDDEN + 10 * turn, 2),
    }
    for name, numbers in shapes.items():
        taken = [delete(site, shared, secrets[turn % len(NAMES)], numbers(turn)) for turn in range(QUITS)]
        figures = f"p50 {median(taken):6.2f} ms, most {max(taken):6.2f} ms"
        print(f"QUIT, {HIDDEN} {name}: {figures}  goal <= {QUIT_GOAL_MS:.0f} ms")


def report_restores(site: ours.Ours, shared: str) -> None:
    site.restore(shared)  # the messages that all five have deleted above
    (eraser,) = site.devices(shared, ["eraser"], mode="primary")
    for whom, device in (("all devices", ""), ("one device", NAMES[0])):
        taken = []
        for _turn in range(QUITS):
            delete(site, shared, eraser, range(1, HIDDEN + 1))
            messages, milliseconds = site.restore(shared, device)
            assert messages == HIDDEN
            taken.append(milliseconds)
        figures = f"p50 {median(taken):6.2f} ms, most {max(taken):6.2f} ms"
        print(f"restore {HIDDEN} for {whom}: {figures}  goal <= {RESTORE_GOAL_MS:.0f} ms")


def polls(site: ours.Ours, *sides: list[tuple[str, str]]) -> list[float]:
    """Return the median of the polls of each mailbox in milliseconds; they take turns, for equal load."""
    taken: list[list[float]] = [[] for _ in sides]
    for turn in range(POLLS):
        for views, times in zip(sides, taken, strict=True):
            times.append(poll(site, *views[turn % len(views)]))
    return [median(times) for times in taken]


def poll(site: ours.Ours, user: str, secret: str) -> float:
    start = time.perf_counter()
    client = sign_in(site.addresses.pop3, user, None, secret)
    client.ask(b"STAT\r\n")
    client.ask(b"QUIT\r\n")
    client.close()
    return 1000 * (time.perf_counter() - start)


def delete(site: ours.Ours, user: str, secret: str, numbers: Iterable[int]) -> float:
    """Delete these messages, and return how many milliseconds QUIT took."""
    client = sign_in(site.addresses.pop3, user, None, secret)
    for number in numbers:
        client.ask(b"DELE %d\r\n" % number)
    start = time.perf_counter()
    client.ask(b"QUIT\r\n")
    taken = 1000 * (time.perf_counter() - start)
    client.close()
    return taken


if __name__ == "__main__":
    main()
