"""The steps from a bare machine to a mail server, in their order. Each yields actions; those that are done are skipped.

A step is asked for its actions when its turn comes, so it sees what the steps before it have done.
"""

from __future__ import annotations

import secrets
import shlex
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from mailstore.mta.mtas import MTAS
from popadmin.quickstart import certificate, local_postgres, machine, mta_log, nginx, settings_file, systemd, units
from popadmin.quickstart.action import Action, Run, Tell, Write
from popadmin.quickstart.machine import USER, Folders
from popadmin.quickstart.site import Mta, Site
from popadmin.up.services import gunicorn

SETTINGS_MODE = 0o640  # it may hold the password of the database
MTA_SQL = "127.0.0.1:5433"  # 5432 may be that of another Postgres
FOLDER_MODE = "2750"  # the sockets there get the group of the MTA
# As a unit does: an ordinary user in a folder of its own, who may listen on the ports below 1024.
_AS_SERVICE = (
    "env", f"--chdir={Folders().data}", "setpriv", f"--reuid={USER}", f"--regid={USER}",
    "--inh-caps=+net_bind_service", "--ambient-caps=+net_bind_service",
)  # fmt: skip
WEB_ADDRESSES = ("127.0.0.1:8000",)


@dataclass(frozen=True, slots=True)
class Step:
    """`title` is one or two words."""

    title: str
    actions: Callable[[Site], Iterator[Action]]


def _user(site: Site) -> Iterator[Action]:
    home = str(site.folders.data)
    yield Run(
        f"make the user {USER}",
        ("adduser", "--system", "--group", "--quiet", "--home", home, USER),
        done=machine.user_exists,
    )
    yield Run(
        f"make the folder {home}",
        ("install", "-d", "-m", "0711", "-o", USER, "-g", USER, home),
        done=site.folders.data.is_dir,
    )
    if folder := site.mta.socket_folder:
        yield Run(
            f"make the folder {folder} for the sockets that {site.mta.value} uses",
            ("install", "-d", "-m", FOLDER_MODE, "-o", USER, "-g", site.mta.group, folder),
            done=(site.folders.root / folder.lstrip("/")).is_dir,
        )


def _certificate(site: Site) -> Iterator[Action]:
    hostname, folders = site.answers.hostname, site.folders
    lineage = certificate.lineage(folders, hostname)
    if lineage is None:
        if "TLS_CERT_FILE" not in settings_file.values(site.settings_text):
            command = certificate.request(site.answers, with_nginx=nginx.is_installed(folders))
            yield Tell(f"self-signed for now. For a real one: {command}, then run quickstart again")
        return
    hook = certificate.hook_path(folders)
    yield Write(hook, certificate.hook(folders, hostname, site.mta.key_reader), mode=0o755)
    yield Run(
        f"copy the certificate of {hostname} to {folders.tls}",
        ("env", f"RENEWED_LINEAGE={lineage}", str(hook)),
        done=lambda: certificate.is_copied(folders, lineage),
    )


def _settings(site: Site) -> Iterator[Action]:
    path, text = site.folders.settings, _completed_settings(site)
    yield Write(path, text, shown=settings_file.without_secrets(text), mode=SETTINGS_MODE, group=USER)
    if settings.IS_CHECKOUT:
        here = settings.BASE_DIR / ".env"
        yield Run(f"let {here} be those settings", ("ln", "-s", str(path), str(here)), done=here.exists)


def _completed_settings(site: Site) -> str:
    """Return the text of the settings file as the step Settings leaves it."""
    wanted = {**_addresses(site), **_mta_settings(site)}
    if certificate.lineage(site.folders, site.answers.hostname):
        wanted |= certificate.settings(site.folders)
    if site.in_parts:
        wanted |= {"DATABASE_URL": local_postgres.new_url(), "SECRET_KEY": secrets.token_urlsafe(48)}
    return settings_file.completed(site.settings_text, wanted)


def _settings_values(site: Site) -> dict[str, str]:
    """Return the settings as the step Settings leaves them. A dry run has not written them."""
    return settings_file.values(_completed_settings(site))


def _addresses(site: Site) -> dict[str, str]:
    hostname = site.answers.hostname
    return {
        "POPADMIN_DATA_DIR": str(site.folders.data),
        "PUBLIC_HOSTNAME": hostname,
        "ALLOWED_HOSTS": f"{hostname},localhost,127.0.0.1",
        "CSRF_TRUSTED_ORIGINS": f"https://{hostname}",
        "TRUSTED_PROXIES": "127.0.0.1",  # the pages listen there alone: who comes from elsewhere comes by a proxy
        "POP3_LISTEN": "0.0.0.0:110,[::]:110",
        "POP3S_LISTEN": "0.0.0.0:995,[::]:995",
    }


def _mta_settings(site: Site) -> dict[str, str]:
    """Return where the MTA asks and logs. A private Postgres opens a port for it; that of the machine has one."""
    if site.mta is Mta.NONE:
        return {}
    folder = site.mta.socket_folder
    found = {
        "LMTP_LISTEN": f"unix:{folder}/lmtp",
        "SASL_LISTEN": f"unix:{folder}/auth",
        "POLICY_LISTEN": f"unix:{folder}/policy",
    }
    if log := mta_log.source(site):
        found["MTA_LOG"] = log
    return found if site.in_parts else {**found, "MTA_SQL_LISTEN": MTA_SQL}


def _database(site: Site) -> Iterator[Action]:
    """Make the role and the database of a site in parts, in the Postgres of this machine."""
    url = _settings_values(site).get("DATABASE_URL", "")
    if site.in_parts and (password := local_postgres.password(url)):
        yield local_postgres.make_role(password)
        yield local_postgres.make_database()
        yield Run("make the tables", site.command("migrate", "--verbosity", "0"))


def _services(site: Site) -> Iterator[Action]:
    folders, program, log_group = site.folders, machine.program(), _log_group(site)
    if site.in_parts:
        parts = units.parts(_settings_values(site))
        texts = {part.unit: units.part(part, program, WEB_ADDRESSES, log_group=log_group) for part in parts}
    else:
        texts = {units.WHOLE: units.whole(program)}
    for name, text in texts.items():
        if not (folders.packaged_units / name).exists():
            yield Write(folders.units / name, text)
    if log_group and not site.in_parts:
        yield Write(folders.units / units.LOG_DROP_IN, units.log_drop_in(log_group))
    if not systemd.is_running():
        return
    names = list(texts)
    yield Run("let systemd read the units", ("systemctl", "daemon-reload"))
    yield Run(
        f"start {' '.join(names)}, now and at each start of the machine",
        ("systemctl", "enable", "--now", *names),
        done=lambda: all(map(systemd.runs_and_stays, names)),
    )
    changed = [file for file in (folders.settings, folders.units / units.LOG_DROP_IN) if file.exists()]
    changed_at = max((file.stat().st_mtime for file in changed), default=0.0)
    yield Run(
        "restart for the new settings",
        ("systemctl", "restart", *names),
        done=lambda: all(systemd.started_at(name) >= changed_at for name in names),
    )


def _log_group(site: Site) -> str:
    """Return the group that may read the log of the MTA, which the settings name; empty where they name none."""
    return mta_log.group(_settings_values(site).get("MTA_LOG", ""))


def by_hand(site: Site) -> list[str]:
    """Return the commands that root starts to run the site where no systemd does."""
    if site.in_parts:
        parts = units.parts(_settings_values(site))
        commands = [site.command(*part.words) if part.words else gunicorn(WEB_ADDRESSES) for part in parts]
    else:
        commands = [site.command("up", "--without-admin")]
    log_group = _log_group(site)
    groups = f"--groups={log_group}" if log_group else "--init-groups"
    return [shlex.join((*_AS_SERVICE, groups, *command)) for command in commands]


def _rows(site: Site) -> Iterator[Action]:
    """Make the first administrator, domain and mailbox. Their commands say what was there already."""
    answers = site.answers
    for text, words in (
        (f"administrator {answers.admin}", ("admin", "ensure", answers.admin)),
        (f"domain {answers.domain}", ("domain", "ensure", answers.domain)),
        (f"mailbox {site.mailbox}", ("mailbox", "ensure", site.mailbox)),
    ):
        yield Run(text, site.command(*words), shown=True)


def _mta(site: Site) -> Iterator[Action]:
    if site.mta is Mta.NONE:
        yield Tell("none is installed. `apt-get install postfix postfix-pgsql`, then run quickstart again")
        return
    if site.mta.key_reader and "TLS_KEY_FILE" not in _settings_values(site):
        yield from _shared_key(certificate.self_signed(site.folders), site.mta.key_reader)
    yield from _set_up(site)
    if systemd.is_running():
        yield Run(
            f"start {site.mta.unit} at each start of the machine",
            ("systemctl", "enable", site.mta.unit),
            done=lambda: systemd.stays(site.mta.unit),
        )
        # Debian's unit of Postfix counts as active also where Postfix does not run.
        yield Run(
            f"start {site.mta.value}", ("systemctl", "restart", site.mta.unit), done=lambda: _mta_runs(site)
        )  # fmt: skip


def _set_up(site: Site) -> Iterator[Action]:
    """Set the MTA up. In the Postgres of the machine popadmin may make no role, so the role is made here, by root."""
    text, command = f"set {site.mta.value} up", site.command("mta", "setup", site.mta.value)
    url = _settings_values(site).get("DATABASE_URL", "")
    if not (site.in_parts and local_postgres.password(url)):
        yield Run(text, command, shown=True)
        return
    password = local_postgres.new_password()

    def is_set_up() -> bool:
        return machine.run((*command, "--dry-run")).stdout.strip() == "nothing would change"

    grant = site.command("mta", "grant", "--print", "--password-stdin")
    yield local_postgres.make_mta_role(password, grant, done=is_set_up)
    yield Run(text, (*command, "--password-stdin"), done=is_set_up, stdin=password, shown=True)


def _shared_key(folder: Path, group: str) -> Iterator[Action]:
    """Let a group read the self-signed pair, and nothing else of popadmin."""

    def every(holds: Callable[[Path], object]) -> bool:
        return folder.is_dir() and all(map(holds, (folder, *folder.iterdir())))

    yield Run(
        f"give {folder} to the group {group}",
        ("chgrp", "--recursive", group, str(folder)),
        done=lambda: every(lambda path: path.group() == group),
    )
    yield Run(
        f"let the group {group} read {folder}",
        ("chmod", "--recursive", "u=rwX,g=rX,o=", str(folder)),
        done=lambda: every(lambda path: path.stat().st_mode & stat.S_IRGRP),
    )


def _pages(site: Site) -> Iterator[Action]:
    folders, (web,) = site.folders, WEB_ADDRESSES
    if not nginx.is_installed(folders):
        yield Tell(
            f"only this machine reaches them, at http://{web}. `apt-get install nginx`, then run quickstart again"
        )
        return
    path = nginx.path(folders)
    if nginx.is_changed(folders, site.answers, web):
        yield Tell(f"{path} is not as quickstart wrote it, and stays as it is")
        return
    yield Write(path, nginx.server(folders, site.answers, web, _settings_values(site)))
    if systemd.is_running():
        yield Run("let nginx read its servers", ("systemctl", "reload-or-restart", "nginx.service"))
    yield Tell(f"sign in at https://{site.answers.hostname}/ as {site.answers.admin}")


def _dns(site: Site) -> Iterator[Action]:
    yield Run(
        f"records for the name server of {site.answers.domain}",
        site.command("dns", site.answers.domain, "--zone"),
        shown=True,
    )


def _mta_runs(site: Site) -> bool:
    kind = MTAS[site.mta.value]
    return kind.is_running(kind.directory)


def _check(site: Site) -> Iterator[Action]:
    if site.mta is Mta.NONE:
        return
    if systemd.is_running() or _mta_runs(site):
        yield Run("try the way of the mail", site.command("mta", "check"), shown=True)
    else:
        yield Tell(f"there is no systemd: start {site.mta.value}, then run quickstart again")


# What needs no site, then what the running site is asked for.
OF_MACHINE = (
    Step("User", _user),
    Step("Certificate", _certificate),
    Step("Settings", _settings),
    Step("Database", _database),
    Step("Services", _services),
)
OF_SITE = (
    Step("First rows", _rows),
    Step("MTA", _mta),
    Step("Pages", _pages),
    Step("DNS", _dns),
    Step("Check", _check),
)
