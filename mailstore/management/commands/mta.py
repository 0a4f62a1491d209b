"""`mta`: what connects a mail server in front with this site. Each verb has a module of its own."""

from __future__ import annotations

from mailstore.management.mta import check, grant, setup, undo
from mailstore.management.noun_verb import NounCommand, Verb


class Command(NounCommand):
    help = "Connect a mail server (Postfix, Exim) with this site."
    example = "popadmin mta setup postfix"

    def verbs(self) -> tuple[Verb, ...]:
        return (setup.verb(self), undo.verb(self), check.verb(self), grant.verb(self))
