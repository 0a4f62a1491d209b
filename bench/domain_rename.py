"""Measures how long it takes to rename a domain with all its mailboxes and aliases, on a site of ten such domains."""

from __future__ import annotations

import json
import time

from bench.site import Site

GOAL_SECONDS = 5  # for 1,000 mailboxes
DOMAINS = 10
ALIASES_OF_EACH = 2  # mailbox
ADD_ALIASES = """
INSERT INTO mailstore_alias (address, domain_id, targets, keep_copy, comment, active, created_at)
SELECT 'a' || n || '-' || u.address, m.domain_id, ARRAY[u.address], false, '', true, now()
  FROM mailstore_mailbox m JOIN mailstore_user u ON u.id = m.user_id CROSS JOIN generate_series(1, %s) AS n"""
NEWEST_DOMAIN = """
SELECT d.name FROM mailstore_domain d JOIN mailstore_mailbox m ON m.domain_id = d.id ORDER BY m.id DESC LIMIT 1"""


def measure(site: Site, mailboxes: int) -> None:
    """Seed the site, rename one of its domains, which has so many mailboxes, and print how long that took."""
    site.seed(domains=DOMAINS, mailboxes=DOMAINS * mailboxes, messages=DOMAINS * mailboxes)
    with site.connect() as connection:
        connection.execute(ADD_ALIASES, [ALIASES_OF_EACH])
        connection.execute("ANALYZE mailstore_alias")
        ((old,),) = connection.execute(NEWEST_DOMAIN).fetchall()
    began = time.monotonic()
    done = json.loads(site.run("domain", "rename", old, "renamed.example", "--json"))
    seconds = time.monotonic() - began
    assert (done["mailboxes"], done["aliases"]) == (mailboxes, mailboxes * ALIASES_OF_EACH), done
    print(f"a domain of {mailboxes} mailboxes and {done['aliases']} aliases renamed:", end=" ")
    print(f"{seconds:.1f} s (goal for 1,000: {GOAL_SECONDS})")
