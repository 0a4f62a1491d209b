"""A certificate and its key on disk: what is wrong with them is said in words, and names the file to mend."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from mailstore import keypair
from mailstore.keypair import Kind
from tests.up.programs import NOBODY, REPOSITORY

CLOSED = 0o700


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that other users reach, which pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="popadmin-pair-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture
def pair(folder: Path) -> tuple[Path, Path]:
    made = trustme.CA().issue_cert("mail.example.test")
    cert, key = folder / "cert.pem", folder / "key.pem"
    made.cert_chain_pems[0].write_to_path(str(cert))
    made.private_key_pem.write_to_path(str(key))
    return cert, key


def test_a_good_pair_has_no_fault_and_is_loaded(pair: tuple[Path, Path]) -> None:
    assert keypair.fault(*pair) is None
    keypair.load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), *pair)


@pytest.mark.parametrize(
    ("which", "content", "kind"),
    [
        (0, "no certificate", Kind.NO_CERTIFICATE),
        (1, "no key", Kind.NO_KEY),
        (1, "-----BEGIN PRIVATE KEY-----\nno key\n-----END PRIVATE KEY-----\n", Kind.REFUSED),
        (0, None, Kind.MISSING),
        (1, None, Kind.MISSING),
    ],
)
def test_a_damaged_or_missing_file_is_named(
    pair: tuple[Path, Path], which: int, content: str | None, kind: Kind
) -> None:
    pair[which].unlink() if content is None else pair[which].write_text(content)
    fault = keypair.fault(*pair)
    assert fault is not None
    assert fault.kind == kind
    assert kind == Kind.REFUSED or str(fault).startswith(str(pair[which]))


def test_the_key_of_another_certificate_is_named(pair: tuple[Path, Path]) -> None:
    trustme.CA().issue_cert("mail.example.test").private_key_pem.write_to_path(str(pair[1]))
    fault = keypair.fault(*pair)
    assert fault is not None
    assert (fault.kind, fault.file) == (Kind.MISMATCH, pair[1])


def test_an_encrypted_key_is_refused_and_nobody_is_asked_for_its_password(pair: tuple[Path, Path]) -> None:
    key = serialization.load_pem_private_key(pair[1].read_bytes(), None)
    protection = serialization.BestAvailableEncryption(b"secret")
    pair[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection))
    fault = keypair.fault(*pair)
    assert fault is not None
    assert (fault.kind, fault.file) == (Kind.ENCRYPTED, pair[1])


def fault_as_another_user(*pair: Path) -> str:
    """Return what an ordinary user is told of the pair: `nobody` where we are root, else ourselves.

    The program becomes that user when it has loaded all it needs, since `nobody` may not reach the checkout or Python.
    """
    program = "import os, sys; from pathlib import Path; from mailstore import keypair; "
    if os.geteuid() == 0:
        program += f"os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY}); "
    program += "print(keypair.fault(*map(Path, sys.argv[1:])))"
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, pair)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_a_key_of_another_user_is_refused_with_the_name_of_the_user_who_needs_it(pair: tuple[Path, Path]) -> None:
    pair[1].chmod(0)
    words = fault_as_another_user(*pair)
    assert words.startswith(f"{pair[1]} cannot be read by the user ")
    assert "nobody: give it a copy of its own" in words or os.geteuid() != 0


def test_a_closed_folder_on_the_way_to_a_key_is_named_behind_a_symbolic_link_too(
    pair: tuple[Path, Path], folder: Path
) -> None:
    (folder / "archive").mkdir()
    pair[1].rename(folder / "archive" / "key1.pem")
    pair[1].symlink_to("archive/key1.pem")
    (folder / "archive").chmod(CLOSED if os.geteuid() == 0 else 0)
    words = fault_as_another_user(*pair)
    assert f"the folder {folder / 'archive'} is closed to it" in words
    (folder / "archive").chmod(CLOSED)


def test_a_pair_in_a_closed_folder_is_not_taken_for_a_missing_one(pair: tuple[Path, Path], folder: Path) -> None:
    (folder / "live").mkdir()
    for file in pair:
        file.rename(folder / "live" / file.name)
    (folder / "live").chmod(CLOSED if os.geteuid() == 0 else 0)
    words = fault_as_another_user(*(folder / "live" / file.name for file in pair))
    assert "is not there" not in words
    assert f"the folder {folder / 'live'} is closed to it" in words
    (folder / "live").chmod(CLOSED)


def test_the_hook_of_the_guide_gives_a_root_only_pair_to_the_group_of_popadmin(
    pair: tuple[Path, Path], folder: Path
) -> None:
    """As docs/install.md has it, with folders and a group of this test's own."""
    lineage = folder / "live" / "mail.example.org"
    lineage.mkdir(parents=True)
    for file, name in zip(pair, (keypair.CERTIFICATE, keypair.KEY), strict=True):
        file.rename(lineage / name)
    (folder / "live").chmod(CLOSED)
    hook = folder / "hook"
    hook.write_text(hook_of_the_guide(folder))
    subprocess.run(["sh", hook], env={**os.environ, "RENEWED_LINEAGE": str(lineage)}, check=True)
    copies = [folder / "copy" / "tls" / name for name in (keypair.CERTIFICATE, keypair.KEY)]
    assert fault_as_another_user(*copies) == "None"
    assert copies[1].stat().st_mode & 0o777 == 0o640


def hook_of_the_guide(folder: Path) -> str:
    group = NOBODY if os.geteuid() == 0 else os.getegid()
    text = (REPOSITORY / "docs" / "install.md").read_text()
    lines = text[text.index("    #!/bin/sh\n    # certbot runs this") :].partition("\n\nmake it executable")[0]
    lines = lines.replace("-g popadmin", f"-g {group}").replace("/etc/popadmin", str(folder / "copy"))
    return "".join(line.removeprefix("    ") for line in lines.splitlines(keepends=True)) + "\n"
