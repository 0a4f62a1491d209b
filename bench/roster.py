"""What bringing in a file of new mailboxes takes, through the pages as a browser does it."""

from __future__ import annotations

import json
import time

from bench.meter import Meter
from bench.talk import WrongAnswer
from bench.web import Browser

GOAL_SECONDS = 60
IMPORT = "/mailboxes/import/"
DOMAIN = "brought.example"


def bring_in(browser: Browser, rows: int, meter: Meter) -> None:
    """The file, the check of it, the run, and the file of the generated passwords; prints what each took."""
    file = "address,name,quota\n" + "".join(f"user{n}@{DOMAIN},User {n},1GB\n" for n in range(rows))
    browser.get(IMPORT)
    began, cpu_began = time.perf_counter(), meter.cpu_seconds()
    columns = browser.send_file(IMPORT, "file", file.encode()).location
    chosen = {"mode": "create", "column0": "address", "column1": "name", "column2": "quota_octets"}
    page = browser.post(columns, chosen).location
    checked = _steps(browser, page)
    browser.post(f"{page}start/", {})
    made = _steps(browser, page)
    passwords = browser.post(f"{page}passwords/", {})
    whole, cpu_seconds = time.perf_counter() - began, meter.cpu_seconds() - cpu_began
    if passwords.text.count(f"@{DOMAIN}") != rows:
        raise WrongAnswer("the file of passwords does not name every mailbox")
    print(f"a file of {rows} new mailboxes, {whole:.1f} s in all (goal {GOAL_SECONDS}), {cpu_seconds:.1f} s of CPU:")
    for what, seconds in (("check", checked), ("run", made)):
        print(f"  {what}: {sum(seconds):.1f} s in {len(seconds)} steps, the longest {max(seconds):.2f} s")
    print(f"  passwords made and handed out: {passwords.seconds:.1f} s")


def _steps(browser: Browser, page: str) -> list[float]:
    seconds, running = [], True
    while running:
        answer = browser.post(f"{page}step/", {}, accept="application/json")
        seconds.append(answer.seconds)
        running = json.loads(answer.text)["running"]
    return seconds
