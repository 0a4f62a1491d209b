"""Makes the small data folder of a release, which every later version has to open (`test_opening.py`).

    python -m tests.released.make                    # of this checkout: a step of each release
    python -m tests.released.make --code FOLDER      # of another one, such as a worktree of a tag

It runs `up` of that checkout, fills the site through commands, LMTP and POP3, and writes what later versions must still
find to `VERSION/expected.json`. The database is a dump in plain SQL; the pair of TLS is left out, since it ages.
"""

from __future__ import annotations

import argparse
import json
import os
import poplib
import shutil
import subprocess
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import pytest

from popadmin.up import binaries
from popadmin.up.postgres import NAME, Cluster
from tests.released.site import MOST_DAYS, Site
from tests.up.programs import REPOSITORY

HERE = Path(__file__).resolve().parent
PASSWORD = "correct horse battery staple"
ANN, BOB, CAROL = "ann@example.org", "bob@example.org", "carol@example.org"
LEFT_OUT = shutil.ignore_patterns("postgres", "tls", "up.lock")
BOTH = b"Subject: to both\r\n\r\nOne body, two messages.\r\n"
DOTS = b"Subject: dots\r\n\r\n.\r\n..two\r\nThe line above begins with dots.\r\n"
LATIN = b"Subject: eight bits\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\nGr\xfc\xdfe\r\n"
LONG = b"Subject: long\r\n\r\n" + b"All work and no play makes Jack a dull boy.\r\n" * 100
# With the UIDL that it had elsewhere.
MBOX = b"From old@elsewhere.example Mon Jan  5 10:00:00 2026\nX-UIDL: from-elsewhere-1\nSubject: old\n\nImported.\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--code", type=Path, default=REPOSITORY, help="the checkout whose code makes the folder")
    code = parser.parse_args().code.resolve()
    version = tomllib.loads((code / "pyproject.toml").read_text())["project"]["version"]
    target = HERE / version
    shutil.rmtree(target, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="popadmin-released-") as temporary:
        folder = Path(temporary)
        folder.chmod(0o777 if os.geteuid() == 0 else 0o700)
        site = Site(folder / "data", code)
        with site.up():
            expected = fill(site)
            # As a power cut leaves it: with the list of children that have no process any more.
            children = (site.folder / "children.json").read_bytes()
        shutil.copytree(site.folder, target / "data", ignore=LEFT_OUT)
        (target / "data" / "children.json").write_bytes(children)
        (target / "database.sql").write_text(dump(site.folder))
    (target / "expected.json").write_text(json.dumps(expected, indent=2) + "\n")


def fill(site: Site) -> dict[str, Any]:
    """Give the site a row of each common kind. Returns what a later version must find."""
    days = str(MOST_DAYS)
    site.command("admin", "ensure", "root", "--password-stdin", stdin=f"{PASSWORD}\n")
    site.command("policy", "ensure", "Long", "--recovery", days, "--diary", days, "--silent", days, "--site")
    site.command("domain", "ensure", "example.org", "--policy", "Long", "--max-mailboxes", "50", "--owner-forwards")
    site.command("domain", "ensure", "example.net", "--stands-for", "example.org")
    for address in (ANN, BOB, CAROL):
        site.command("mailbox", "ensure", address, "--password-stdin", "--quota", "1GB", stdin=f"{PASSWORD}\n")
    site.command("admin", "ensure", ANN, "--domain", "example.org")
    phone = site.json("device", "add", ANN, "Phone")["password"]
    laptop = site.json("device", "add", ANN, "Laptop")["password"]
    site.command("alias", "ensure", "info@example.org", ANN, BOB, "--comment", "both of them")

    site.deliver(BOTH, "info@example.org")
    site.deliver(DOTS, ANN)
    site.deliver(LATIN, "ann@example.net")
    site.deliver(LONG, BOB)
    site.deliver(LONG, CAROL)

    mbox = site.folder.parent / "mbox"
    mbox.write_bytes(MBOX)
    site.command("import-mail", BOB, str(mbox))

    # The phone fetches all and deletes the second: its view hides a message that others see.
    seen = site.view(ANN, phone)
    delete(site, ANN, phone, 2)
    # Nobody but his main password counts in Bob's mailbox: what he deletes rests in recovery.
    gone = site.view(BOB, PASSWORD)[0]
    delete(site, BOB, PASSWORD, 1)
    refused(site, BOB)
    site.command("mailbox", "remove", CAROL, "--with-mail")

    people = {"phone": (ANN, phone), "laptop": (ANN, laptop), "ann": (ANN, PASSWORD), "bob": (BOB, PASSWORD)}
    views = [
        {"who": who, "login": login, "password": password, "messages": site.view(login, password)}
        for who, (login, password) in people.items()
    ]
    assert views[0]["messages"] == [seen[0], seen[2]]
    return {
        "admin": {"login": "root", "password": PASSWORD},
        "views": views,
        "recovery": {"address": BOB, "password": PASSWORD, "message": gone},
        "removed": {"address": CAROL, "password": PASSWORD, "messages": 1},
        "pages": {"/domains/": "example.org", "/mailboxes/": BOB, "/aliases/": "info@example.org", "/audit/": CAROL},
    }


def delete(site: Site, login: str, password: str, number: int) -> None:
    client = site.session(login, password)
    client.dele(number)
    client.quit()


def refused(site: Site, login: str) -> None:
    """One more row of the diary."""
    with pytest.raises(poplib.error_proto, match="AUTH"):
        site.session(login, "wrong")


def dump(folder: Path) -> str:
    """Return the database as statements that any driver can run, behind the clean end of the site."""
    cluster = Cluster(folder)
    cluster.start()
    try:
        pg_dump = binaries.find(made_by=None).program("pg_dump")
        options = ["--inserts", "--no-owner", "--no-privileges", f"--dbname={cluster.conninfo(dbname=NAME)}"]
        done = subprocess.run([pg_dump, *options], capture_output=True, text=True, check=True)
    finally:
        cluster.stop()
    # Words for psql alone begin with a backslash (\restrict).
    return "".join(line for line in done.stdout.splitlines(keepends=True) if not line.startswith("\\"))


if __name__ == "__main__":
    main()
