"""The command `manage.py up`: everything in one; popadmin.up does the work."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError, connection

from mailstore.management.shell import ShellCommand
from popadmin.config.version import version
from popadmin.up import lock, site_pointer
from popadmin.up.credentials import Credential, first_administrator
from popadmin.up.demo import Demo
from popadmin.up.errors import UpError
from popadmin.up.postgres import Cluster
from popadmin.up.services import database_connections, services
from popadmin.up.startup_summary import summary
from popadmin.up.supervisor import Supervisor


class Command(ShellCommand):
    help = (
        "Run all of popadmin: a private Postgres unless DATABASE_URL is set, the web pages, POP3, LMTP and the sweep."
    )
    example = "POPADMIN_DATA_DIR=/srv/mail popadmin up"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--demo", action="store_true", help="make a sample domain with mailboxes, devices and mail, and print it"
        )

    def handle(self, *args: Any, demo: bool, **options: Any) -> None:
        self.check()  # shows its warnings to the person who starts the site
        try:
            with lock.hold(settings.DATA_DIR), site_pointer.noted(_site()):
                self._run(demo=demo)
        except KeyboardInterrupt:
            return  # stopped before everything ran; the running parts have been stopped
        except OperationalError as error:
            cause, _, _ = str(error).partition("\n")
            raise CommandError(f"DATABASE_URL: {cause}") from error
        except UpError as error:
            raise CommandError(str(error)) from error

    def _run(self, *, demo: bool) -> None:
        cluster = self._cluster() if settings.DATABASE_IS_PRIVATE else None
        supervisor = Supervisor(services(), cluster=cluster, data_dir=settings.DATA_DIR, say=self._say)
        with supervisor.running():
            with supervisor.signals.interruptible():
                call_command("migrate", interactive=False, verbosity=0)
                supervisor.start_children()
                credentials = self._people(demo=demo)
            connection.close()
            self.stdout.write(
                summary(version=version(), data_dir=settings.DATA_DIR, credentials=credentials, demo=demo)
            )
            self.stdout.flush()
            supervisor.watch()

    def _cluster(self) -> Cluster:
        return Cluster(settings.DATA_DIR, connections=database_connections(), mta_address=settings.MTA_SQL_LISTEN)

    def _people(self, *, demo: bool) -> list[Credential]:
        if demo:
            return Demo(settings.DATA_DIR, self._say).make()
        first = first_administrator()
        return [first] if first else []

    def _say(self, text: str) -> None:
        self.stderr.write(f"popadmin: {text}")


def _site() -> site_pointer.Site:
    return site_pointer.Site(settings.BASE_DIR, settings.HOME_DIR, settings.DATA_DIR)
