"""The certificate of quickstart: that of certbot is found and copied, and after a renewal copied again."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from popadmin.quickstart import certificate
from popadmin.quickstart.machine import Folders
from popadmin.quickstart.site import Mta

HOST = "mail.example.org"


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path)


def renew(folders: Folders, text: str, name: str = HOST) -> Path:
    """As certbot does: what `live` has are links into `archive`."""
    live, archive = folders.letsencrypt / "live" / name, folders.letsencrypt / "archive" / name
    for folder in (live, archive):
        folder.mkdir(parents=True, exist_ok=True)
    for file in (certificate.CHAIN, certificate.KEY):
        (archive / f"{text}-{file}").write_text(text)
        (live / file).unlink(missing_ok=True)
        (live / file).symlink_to(archive / f"{text}-{file}")
    return live


def run_hook(folders: Folders, lineage: Path) -> None:
    script = certificate.hook(folders, HOST).replace("-g popadmin", "")  # a user whom this machine need not have
    subprocess.run(["sh", "-c", script], env={"RENEWED_LINEAGE": str(lineage), "PATH": "/usr/bin:/bin"}, check=True)


def test_no_pair_is_found_before_both_files_are_there(folders: Folders) -> None:
    assert certificate.lineage(folders, HOST) is None
    lineage = renew(folders, "first")
    assert certificate.lineage(folders, HOST) == lineage
    (lineage / certificate.KEY).unlink()
    assert certificate.lineage(folders, HOST) is None


def test_the_hook_copies_the_pair_and_a_renewed_one_again(folders: Folders) -> None:
    lineage = renew(folders, "first")
    assert not certificate.is_copied(folders, lineage)
    run_hook(folders, lineage)
    assert certificate.is_copied(folders, lineage)
    renew(folders, "second")
    assert not certificate.is_copied(folders, lineage)
    run_hook(folders, lineage)
    assert (folders.tls / certificate.KEY).read_text() == "second"


def test_an_mta_without_rights_of_root_may_read_the_copy_too(folders: Folders) -> None:
    assert certificate.hook(folders, HOST).count(" -g popadmin ") == 2
    assert certificate.hook(folders, HOST, Mta.EXIM.key_reader).count(" -o popadmin -g Debian-exim ") == 2
    assert Mta.POSTFIX.key_reader == ""


def test_a_pair_of_another_name_goes_to_the_names(folders: Folders) -> None:
    run_hook(folders, renew(folders, "other", "pop.example.net"))
    assert not folders.tls.exists()
    assert (folders.tls.parent / "names/pop.example.net" / certificate.CHAIN).read_text() == "other"
