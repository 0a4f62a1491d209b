"""Where quickstart finds the log of the MTA, and which group may read it."""

from __future__ import annotations

from pathlib import Path

import pytest

from popadmin.quickstart import mta_log
from popadmin.quickstart.answers import Answers
from popadmin.quickstart.machine import Folders
from popadmin.quickstart.site import Mta, Site


@pytest.mark.parametrize(("mta", "file"), [(Mta.POSTFIX, "var/log/mail.log"), (Mta.EXIM, "var/log/exim4/mainlog")])
def test_without_systemd_it_is_a_file_once_there_is_one(tmp_path: Path, mta: Mta, file: str) -> None:
    answers = Answers("mail.example.org", "example.org", "admin")
    site = Site(answers, "me@example.org", mta, folders=Folders(tmp_path))
    assert mta_log.source(site) == ""
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).touch()
    assert mta_log.source(site) == f"/{file}"


def test_the_group_is_that_of_the_log() -> None:
    groups = {"": "", "journal": "systemd-journal", "journal:exim4.service": "systemd-journal", "/var/log/x": "adm"}
    assert {setting: mta_log.group(setting) for setting in groups} == groups
