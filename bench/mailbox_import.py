"""Measures how long the import of a file of new mailboxes takes, through the pages as in a browser."""

from __future__ import annotations

import json
import time

from bench.client import WrongAnswer
from bench.meter import Meter
from bench.web import Browser

GOAL_SECONDS = 60
IMPORT = "/mailboxes/import/"
DOMAIN = "imported.example"


def import_without_passwords(browser: Browser, rows: int, meter: Meter) -> None:
    """Import a file, download the generated passwords, and print how long each part took."""
    file = "address,name,quota\n" + "".join(f"user{n}@{DOMAIN},User {n},1GB\n" for n in range(rows))
    began, cpu_began = time.perf_counter(), meter.cpu_seconds()
    page, steps = _check_and_run(browser, file, ("address", "name", "quota_octets"))
    passwords = browser.post(f"{page}passwords/", {})
    if passwords.text.count(f"@{DOMAIN}") != rows:
        raise WrongAnswer("the file of passwords does not name every mailbox")
    _print_times(f"{rows} new mailboxes", began, meter.cpu_seconds() - cpu_began, steps)
    print(f"  passwords generated and downloaded: {passwords.seconds:.1f} s")


def import_with_hashes(browser: Browser, rows: int, meter: Meter) -> None:
    """Import a file with the hashes of another server, in the column of passwords: none is hashed again."""
    encoded = "{SHA512-CRYPT}$6$saltsaltsaltsalt$" + "x" * 86
    file = "address,password\n" + "".join(f"wren{n}@{DOMAIN},{encoded}\n" for n in range(rows))
    began, cpu_began = time.perf_counter(), meter.cpu_seconds()
    _page, steps = _check_and_run(browser, file, ("address", "password"))
    _print_times(f"{rows} new mailboxes with their hashes", began, meter.cpu_seconds() - cpu_began, steps)


def import_with_passwords(browser: Browser, owner: Browser, rows: int, meter: Meter) -> None:
    """Import a file with passwords: each costs a slow hash. The `owner` of the last row signs in with the password."""
    people = [(f"heron{n}@{DOMAIN}", f"{n} kettles in a row") for n in range(rows)]
    file = "address,password\n" + "".join(f"{address},{password}\n" for address, password in people)
    began, cpu_began = time.perf_counter(), meter.cpu_seconds()
    _page, steps = _check_and_run(browser, file, ("address", "password"))
    _print_times(f"{rows} new mailboxes with their passwords", began, meter.cpu_seconds() - cpu_began, steps)
    owner.sign_in(*people[-1])


def _check_and_run(browser: Browser, file: str, columns: tuple[str, ...]) -> tuple[str, dict[str, list[float]]]:
    """Return the URL of the import, and the seconds of each step of the check and of the run."""
    browser.get(IMPORT)
    chosen = {f"column{place}": name for place, name in enumerate(columns)}
    location = browser.send_file(IMPORT, "file", file.encode()).location
    page = browser.post(location, {"mode": "create", **chosen}).location
    checked = _steps(browser, page)
    browser.post(f"{page}start/", {})
    return page, {"check": checked, "run": _steps(browser, page)}


def _print_times(what: str, began: float, cpu_seconds: float, steps: dict[str, list[float]]) -> None:
    whole = time.perf_counter() - began
    print(f"a file of {what}, {whole:.1f} s in all (goal for 10,000: {GOAL_SECONDS}), {cpu_seconds:.1f} s of CPU:")
    for name, seconds in steps.items():
        print(f"  {name}: {sum(seconds):.1f} s in {len(seconds)} steps, the longest {max(seconds):.2f} s")


def _steps(browser: Browser, page: str) -> list[float]:
    seconds, running = [], True
    while running:
        answer = browser.post(f"{page}step/", {}, accept="application/json")
        seconds.append(answer.seconds)
        running = json.loads(answer.text)["running"]
    return seconds
