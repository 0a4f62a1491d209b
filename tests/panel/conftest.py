"""Certificates for the pages that judge them."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def pair_ending_in() -> Callable[..., None]:
    """Writes a certificate as a folder of TLS_SNI_DIR has it, for the host of the folder's name or for another."""
    import trustme

    def write(folder: Path, *, days: int, host: str = "") -> None:
        folder.mkdir()
        until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
        pair = trustme.CA().issue_cert(host or folder.name, not_after=until)
        (folder / "fullchain.pem").write_bytes(pair.cert_chain_pems[0].bytes())
        (folder / "privkey.pem").write_bytes(pair.private_key_pem.bytes())

    return write
