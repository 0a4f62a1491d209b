"""`quickstart`: from a bare machine to a mail server; popadmin.quickstart has the steps."""

from __future__ import annotations

import os
import sys
import textwrap
from typing import Any

from django.core.management.base import CommandError, CommandParser

from mailstore.management.shell import EXIT_REFUSED, ShellCommand
from popadmin.quickstart import site as sites
from popadmin.quickstart import steps, systemd
from popadmin.quickstart.action import Action, Failed
from popadmin.quickstart.answers import QUESTIONS, Unanswered, collect
from popadmin.quickstart.site import Mta, Site
from popadmin.quickstart.steps import OF_MACHINE, OF_SITE, Step

TITLE_WIDTH = 12
FIRST_MAILBOX = "postmaster"  # RFC 5321 §4.5.1: every domain has this one


class Command(ShellCommand):
    help = (
        "Set this machine up as a mail server: user, settings, services, certificate, MTA, first domain and mailbox. "
        "Run it again at any time: it only does what is missing."
    )
    example = "popadmin quickstart --hostname mail.example.org --domain example.org --yes"

    def add_arguments(self, parser: CommandParser) -> None:
        for question in QUESTIONS:
            parser.add_argument(f"--{question.name}", help=f"{question.text.lower()}: {question.wanted}")
        parser.add_argument("--mailbox", help="address of the first mailbox (default: postmaster@ the domain)")
        parser.add_argument(
            "--mta", choices=[mta.value for mta in Mta], help="which one to set up (default: the one that is installed)"
        )
        parser.add_argument(
            "--parts", action="store_true", help="a service for each part, and the Postgres of this machine"
        )
        parser.add_argument("--yes", action="store_true", help="ask nothing: take the default of what is not given")
        parser.add_argument(
            "--dry-run", action="store_true", help="print each step with its files and commands, and do nothing"
        )

    def handle(self, *_args: Any, dry_run: bool, yes: bool, **options: Any) -> None:
        if not dry_run and os.geteuid() != 0:
            raise CommandError("quickstart sets the machine up: run it as root", returncode=EXIT_REFUSED)
        site = self._site(options, ask=not yes and sys.stdin.isatty())
        for step in OF_MACHINE:
            self._take(step, site, dry_run=dry_run)
        if dry_run or self._runs(site):
            for step in OF_SITE:
                self._take(step, site, dry_run=dry_run)

    def _runs(self, site: Site) -> bool:
        """Return whether the site runs. Where no systemd has started it, say how to."""
        if not systemd.is_running() and not sites.answers():
            self._say("Start", "there is no systemd. As root, start and leave running")
            for command in steps.by_hand(site):
                self._say("", command)
            self._say("", "and run quickstart again: it goes on from here.")
            return False
        if not sites.wait_until_it_answers():
            raise CommandError("the site does not answer: `journalctl -u 'popadmin*'` says why")
        return True

    def _take(self, step: Step, site: Site, *, dry_run: bool) -> None:
        """Do what is missing of a step, and say it."""
        try:
            for action in step.actions(site):
                if action.is_done():
                    self._say(step.title, f"{action.text}: done before")
                    continue
                self._say(step.title, action.text)
                self._show(action.preview() if dry_run else self._do(action))
        except OSError as error:
            remedy = "; run this as root" if isinstance(error, PermissionError) else ""
            where = f"{error.filename}: " if error.filename else ""
            raise CommandError(f"{step.title}: {where}{error.strerror}{remedy}", returncode=EXIT_REFUSED) from error

    def _do(self, action: Action) -> str:
        self.stdout.flush()
        try:
            return action.do()
        except Failed as error:
            self._show(error.said)
            raise CommandError(str(error), returncode=EXIT_REFUSED) from error

    def _show(self, said: str) -> None:
        if said:
            self.stdout.write(textwrap.indent(said.rstrip(), " " * (TITLE_WIDTH + 1)))

    def _say(self, title: str, text: str) -> None:
        self.stdout.write(f"{title:<{TITLE_WIDTH}} {text}")

    def _site(self, options: dict[str, Any], *, ask: bool) -> Site:
        given = {question.name: options[question.name] for question in QUESTIONS}
        try:
            answers = collect(given, self._ask if ask else None)
        except Unanswered as error:
            raise CommandError(str(error), returncode=EXIT_REFUSED) from error
        mta = Mta(options["mta"]) if options["mta"] else sites.installed_mta()
        mailbox = options["mailbox"] or f"{FIRST_MAILBOX}@{answers.domain}"
        return Site(answers, mailbox, mta, in_parts=options["parts"])

    def _ask(self, text: str, default: str) -> str:
        return input(f"{text} [{default}]: " if default else f"{text}: ").strip() or default
