"""The log of the MTA on this machine: where it is, and which group may read it."""

from __future__ import annotations

from popadmin.quickstart import systemd
from popadmin.quickstart.site import Mta, Site

_FILES = {Mta.POSTFIX: "/var/log/mail.log", Mta.EXIM: "/var/log/exim4/mainlog"}
JOURNAL = "journal"
JOURNAL_GROUP, FILE_GROUP = "systemd-journal", "adm"  # as systemd and Debian give their logs


def source(site: Site) -> str:
    """Return what the setting MTA_LOG is to name; empty where there is no log yet. Exim keeps files of its own."""
    if site.mta is Mta.POSTFIX and systemd.is_running():
        return JOURNAL
    file = _FILES.get(site.mta, "")
    return file if file and (site.folders.root / file.lstrip("/")).exists() else ""


def group(setting: str) -> str:
    """Return the group that may read what MTA_LOG names; empty where it names nothing."""
    if not setting:
        return ""
    return JOURNAL_GROUP if setting.partition(":")[0] == JOURNAL else FILE_GROUP
