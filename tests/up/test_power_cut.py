"""Files that a power cut has damaged are named and set aside; they are made anew where possible."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from mailstore.conf import Tls
from mailstore.file_owner import identity_of
from mailstore.listener import self_signed
from popadmin.config import secret_key
from popadmin.up import child_processes, processes
from popadmin.up.child_processes import Register
from popadmin.up.errors import UpError
from tests.bodies.second_user import AS_ROOT, OTHER_USER, open_folder
from tests.up.programs import REPOSITORY, alive, await_line, free_ports, running, until
from tests.up.test_supervisor import command, pid_of
from tests.up.test_up import Site


def damages(data: bytes) -> list[bytes]:
    """What a power cut makes of a file: cut off anywhere, or zeros where the octets were."""
    return [*(data[:length] for length in range(len(data))), bytes(len(data)), data[: len(data) // 2] + bytes(9)]


# --- children.json ----------------------------------------------------------------------------------------------------


def test_a_list_of_children_that_is_cut_off_anywhere_is_set_aside_and_the_start_goes_on(folder: Path) -> None:
    file = folder / "children.json"
    for damaged in damages(b'[[2147483647, "1"], [2147483646, "2"]]'):
        file.write_bytes(damaged)
        said: list[str] = []
        Register(file, said.append).end_left_behind()
        assert not file.exists()
        assert len(said) == 1
        assert said[0].startswith(f"{file} was damaged and is now children.json.damaged-")


@pytest.mark.parametrize("nonsense", [b"{}x", b"[1]", b"[[null, 2]]", b'"text"', b"[[[], 1]]"])
def test_a_list_that_is_json_but_no_list_of_children_is_set_aside_too(folder: Path, nonsense: bytes) -> None:
    (folder / "children.json").write_bytes(nonsense)
    Register(folder / "children.json", [].append).end_left_behind()
    assert [file.name.partition("-")[0] for file in folder.iterdir()] == ["children.json.damaged"]


def test_children_left_behind_are_found_without_the_list(folder: Path) -> None:
    ports = free_ports(2)
    with running(command(folder, ports, "stubborn")) as process:
        await_line(process, "ready")
        process.kill()
        lingering = pid_of(folder, "first")
        until(lambda: not alive(pid_of(folder, "last")), "the other has ended")
        (folder / "children.json").write_bytes(b"")
        with running(command(folder, ports)) as again:
            await_line(again, "children.json.damaged-")
            await_line(again, "ready")
            assert not alive(lingering)
            assert len(json.loads((folder / "children.json").read_text())) == 2


def test_a_process_that_hangs_in_the_kernel_is_named_and_not_waited_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_processes, "LEFT_BEHIND_SECONDS", 0.0)
    monkeypatch.setattr(child_processes, "KILLED_SECONDS", 0.0)
    monkeypatch.setattr(child_processes, "_kill", lambda _pid: None)  # such a process takes no signal
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as hanging:
        entry = [hanging.pid, processes.started_at(hanging.pid)]
        (folder / "children.json").write_text(json.dumps([entry]))
        with pytest.raises(UpError, match=f"process {hanging.pid}\\) and does not end"):
            Register(folder / "children.json", [].append).end_left_behind()
        hanging.kill()


# --- the secret key ---------------------------------------------------------------------------------------------------


def test_a_key_is_made_once_for_its_owner_alone_and_read_again(tmp_path: Path) -> None:
    file = tmp_path / "data" / "secret-key"
    assert secret_key.read(file) is None
    key = secret_key.make(file)
    assert len(key) >= 50
    assert secret_key.make(file) == secret_key.read(file) == key
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_key_that_is_cut_off_anywhere_is_refused_or_whole(tmp_path: Path) -> None:
    file = tmp_path / "secret-key"
    key = secret_key.make(file)
    for damaged in damages(file.read_bytes()):
        file.write_bytes(damaged)
        if damaged == key.encode():  # only the line end is missing, as earlier versions wrote it
            assert secret_key.read(file) == key
            continue
        with pytest.raises(ImproperlyConfigured, match=f"{file} is damaged"):
            secret_key.read(file)
        assert file.read_bytes() == damaged


@AS_ROOT
def test_a_key_that_a_command_of_root_has_made_is_named_with_the_user_who_cannot_read_it() -> None:
    with open_folder() as folder:
        secret_key.make(folder / "secret-key")  # root's, mode 0600
        os.chown(folder, OTHER_USER, OTHER_USER)
        with (
            identity_of(str(folder)),
            pytest.raises(ImproperlyConfigured, match=r"cannot be read by root .*chown"),
        ):
            secret_key.read(folder / "secret-key")


def test_a_folder_in_the_place_of_the_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"cannot be read by .* \(Is a directory\)"):
        secret_key.read(tmp_path)


def test_a_key_that_somebody_typed_is_taken(tmp_path: Path) -> None:
    (tmp_path / "secret-key").write_text("x7Fq" * 11 + "\n")
    assert secret_key.read(tmp_path / "secret-key") == "x7Fq" * 11


@pytest.mark.parametrize("content", [b"", bytes(67), b"abc"])
def test_a_start_with_a_damaged_key_is_one_line_that_says_how_to_go_on(site: Site, content: bytes) -> None:
    site.folder.mkdir()
    (site.folder / "secret-key").write_bytes(content)
    done = subprocess.run(
        [sys.executable, "manage.py", "up"],
        cwd=REPOSITORY, env=site.environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"{site.folder}/secret-key is damaged" in done.stderr
    assert "everybody has to sign in to the pages again" in done.stderr
    assert (site.folder / "secret-key").read_bytes() == content


# --- the certificate --------------------------------------------------------------------------------------------------


@pytest.fixture
def tls(tmp_path: Path) -> Tls:
    return Tls(tmp_path / "tls" / "cert.pem", tmp_path / "tls" / "key.pem", None, made_below=tmp_path)


@pytest.mark.parametrize("name", ["cert.pem", "key.pem"])
def test_a_made_pair_that_is_cut_off_anywhere_is_set_aside_and_made_anew(tls: Tls, name: str, tmp_path: Path) -> None:
    self_signed.ensure_pair(tls, "mail.example.test")
    file = tls.cert_file.parent / name
    whole = file.read_bytes()
    for damaged in [one for one in damages(whole) if one.strip() != whole.strip()][::7]:
        file.write_bytes(damaged)
        self_signed.ensure_pair(tls, "mail.example.test")
        assert self_signed.expires_at(tls.cert_file)
        assert file.read_bytes() != damaged
        (aside,) = tmp_path.glob("tls.damaged-*")
        assert (aside / name).read_bytes() == damaged
        shutil.rmtree(aside)


def test_the_key_of_a_certificate_that_others_signed_is_not_replaced(tls: Tls, tls_settings: dict[str, str]) -> None:
    tls.cert_file.parent.mkdir()
    tls.cert_file.write_bytes(Path(tls_settings["TLS_CERT_FILE"]).read_bytes())
    tls.key_file.write_bytes(b"")
    self_signed.ensure_pair(tls, "mail.example.test")
    assert tls.key_file.read_bytes() == b""


# --- all of it --------------------------------------------------------------------------------------------------------


@pytest.fixture
def site(folder: Path) -> Site:
    return Site(folder / "data")


def messages(site: Site) -> int:
    counted = "from mailstore.models import Message; print(Message.objects.count())"
    return int(site.command("shell", "--verbosity", "0", "--command", counted))


def test_a_site_comes_up_with_every_file_emptied_that_can_be_made_anew(site: Site) -> None:
    with site.up("--demo"):
        site.await_board()
        before = messages(site)
    emptied = ["children.json", "demo.json", "up.lock", "tls/cert.pem", "tls/key.pem", "postgres/data/postmaster.pid"]
    for name in emptied:
        (site.folder / name).write_bytes(b"")
    with site.up("--demo"):
        site.await_board()
        assert site.said("children.json was damaged and is now children.json.damaged-")
        assert site.said("demo.json was damaged and is now demo.json.damaged-")
        assert site.said("the passwords of the demo are not known any more")
        assert messages(site) == before
        site.page()
    assert list(site.folder.glob("tls.damaged-*"))


def test_a_version_file_of_the_cluster_that_is_empty_is_named(site: Site) -> None:
    (site.folder / "postgres" / "data").mkdir(parents=True)
    (site.folder / "postgres" / "data" / "PG_VERSION").write_bytes(b"")
    with site.up() as process:
        assert process.wait(60) == 1
    assert site.said("PG_VERSION is damaged: write the major version")
