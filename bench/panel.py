"""`python -m bench.panel`: measures the pages of a large site, and the import of a file of new mailboxes.

Times are those of the web server of `up`, over one connection. CPU time is that of the server and of Postgres; measure
on an idle machine. The queries of a page are counted in this process.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterable

from bench import mailbox_import, pages
from bench.__main__ import workplace
from bench.client import WrongAnswer
from bench.pages import Page
from bench.site import Site
from bench.web import Browser, web_server

TURNS = 20
QUIET_SECONDS = 4  # just after a change, the overview counts anew each time; the figure is for a site without changes
PASSWORD = "a password for a benchmark alone"
HEAD = ("page", "p50 ms", "p95 ms", "goal", "CPU-ms", "queries")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.panel", description=__doc__)
    parser.add_argument("--domains", type=int, default=100)
    parser.add_argument("--mailboxes", type=int, default=10_000)
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--rows", type=int, default=10_000, help="of the file to import; 0: none")
    parser.add_argument("--chosen", type=int, default=1000, help="rows of a file with passwords; 0: none")
    parser.add_argument("--turns", type=int, default=TURNS, help="how often each page is asked for")
    options = parser.parse_args()
    with workplace() as folder:
        site = Site(folder, "panel")
        with site.running():
            site.seed(domains=options.domains, mailboxes=options.mailboxes, messages=options.messages)
            site.run("sweep")
            measure(site, rows=options.rows, chosen=options.chosen, turns=options.turns)


def measure(site: Site, *, rows: int, chosen: int, turns: int) -> None:
    with site.connect() as connection:
        box, owner = pages.fill(connection)
        site.run("mailbox", "set-password", owner, "--password-stdin", stdin=PASSWORD)
        site.run("admin", "ensure", "root", "--password-stdin", stdin=PASSWORD)
        site.run("domain", "ensure", mailbox_import.DOMAIN)
        _ready(site)
        admins, owners = list(pages.of_admins(connection, box)), list(pages.of_owners())
    with web_server(site) as address:
        time.sleep(QUIET_SECONDS)
        print("| " + " | ".join(HEAD) + " |\n|" + " --- |" * len(HEAD))
        for login, asked in (("root", admins), (owner, owners)):
            ask(site, Browser(address).sign_in(login, PASSWORD), login, asked, turns)
        if rows:
            print()
            mailbox_import.import_without_passwords(Browser(address).sign_in("root", PASSWORD), rows, site.meter)
            mailbox_import.import_with_hashes(Browser(address).sign_in("root", PASSWORD), rows, site.meter)
        if chosen:
            root = Browser(address).sign_in("root", PASSWORD)
            mailbox_import.import_with_passwords(root, Browser(address), chosen, site.meter)


def ask(site: Site, browser: Browser, login: str, asked: Iterable[Page], turns: int) -> None:
    for page in asked:
        _seconds(browser, page)
        began = site.meter.cpu_seconds()
        times = sorted(1000 * _seconds(browser, page) for _turn in range(turns))
        cpu_ms = 1000 * (site.meter.cpu_seconds() - began) / turns
        print(_line(page, times, cpu_ms, _queries(login, page.path)), flush=True)


def _seconds(browser: Browser, page: Page) -> float:
    answer = browser.get(page.path)
    if answer.status != 200:
        raise WrongAnswer(f"{page.path}: {answer.status}")
    return answer.seconds


def _line(page: Page, times: list[float], cpu_ms: float, queries: int) -> str:
    p50, p95 = times[len(times) // 2], times[min(len(times) - 1, len(times) * 95 // 100)]
    goal = "-" if page.goal_ms is None else f"{page.goal_ms:.0f}"
    missed = page.goal_ms is not None and (p95 > page.goal_ms or queries > pages.QUERIES_MOST)
    p95_cell = f"**{p95:.0f}**" if missed else f"{p95:.0f}"
    return f"| {page.name} | {p50:.0f} | {p95_cell} | {goal} | {cpu_ms:.0f} | {queries} |"


def _ready(site: Site) -> None:
    """Set up Django in this process, on the same database."""
    import django

    os.environ.update(site.environment)
    os.environ["DJANGO_SETTINGS_MODULE"] = "popadmin.settings"
    django.setup()


def _queries(login: str, path: str) -> int:
    """Return how many statements the page makes, including those for the session and the user."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from mailstore.models import User

    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.get(address=login))
    client.get(path)  # the first request of a session notes its use
    with CaptureQueriesContext(connection) as made:
        client.get(path)
    return len(made)


if __name__ == "__main__":
    main()
