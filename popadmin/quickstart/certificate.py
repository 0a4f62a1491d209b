"""The certificate of the site: an existing one of certbot, copied to where popadmin may read it, also when renewed."""

from __future__ import annotations

from pathlib import Path

from popadmin.quickstart.answers import Answers
from popadmin.quickstart.machine import USER, Folders

CHAIN, KEY = "fullchain.pem", "privkey.pem"  # as certbot names them
_HOOK = """\
#!/bin/sh
# certbot runs this after each renewal; RENEWED_LINEAGE is the folder of the new pair.
set -eu
name=$(basename "$RENEWED_LINEAGE")
to={tls}
[ "$name" = {hostname} ] || to={names}/$name
install -d -m 0750 {owners} "$to"
install -m 0640 {owners} "$RENEWED_LINEAGE/{chain}" "$RENEWED_LINEAGE/{key}" "$to"
[ ! -e {nginx}/popadmin.conf ] || systemctl try-reload-or-restart nginx.service || echo "reload nginx for it" >&2
"""
_WEBROOT = "/var/www/html"  # which the server of nginx' package shows on port 80


def lineage(folders: Folders, hostname: str) -> Path | None:
    """Return the folder of certbot's pair for this name; None if there is none."""
    folder = folders.letsencrypt / "live" / hostname
    return folder if (folder / CHAIN).is_file() and (folder / KEY).is_file() else None


def request(answers: Answers, *, with_nginx: bool) -> str:
    """Return the command by which the operator gets a certificate. Where nginx has port 80, it shows the proof."""
    if not with_nginx:
        return f"certbot certonly --standalone -d {answers.hostname}"
    names = f"-d {answers.hostname} -d autoconfig.{answers.domain}"
    return f"certbot certonly --webroot --webroot-path {_WEBROOT} {names}"


def hook_path(folders: Folders) -> Path:
    return folders.letsencrypt / "renewal-hooks/deploy/popadmin"


def hook(folders: Folders, hostname: str, reader: str = "") -> str:
    """Return the script that certbot is to run after each renewal.

    popadmin may read what it copies. So may the group `reader`, which is that of an MTA without rights of root.
    """
    owners = f"-o {USER} -g {reader}" if reader else f"-g {USER}"
    names = folders.tls.parent / "names"
    return _HOOK.format(
        hostname=hostname, tls=folders.tls, names=names, owners=owners, chain=CHAIN, key=KEY, nginx=folders.nginx
    )


def self_signed_files(folders: Folders) -> dict[str, str]:
    """Return where the pair is that popadmin makes, by the settings that would name it."""
    folder = self_signed(folders)
    return {"TLS_CERT_FILE": str(folder / "cert.pem"), "TLS_KEY_FILE": str(folder / "key.pem")}


def self_signed(folders: Folders) -> Path:
    """Return the folder of the pair that popadmin makes where the settings name none."""
    return folders.data / "tls"


def is_copied(folders: Folders, lineage: Path) -> bool:
    """Return whether the copy is that of the newest pair."""
    try:
        return all((lineage / name).read_bytes() == (folders.tls / name).read_bytes() for name in (CHAIN, KEY))
    except FileNotFoundError:
        return False


def settings(folders: Folders) -> dict[str, str]:
    """Return the settings of the copied pair."""
    return {"TLS_CERT_FILE": str(folders.tls / CHAIN), "TLS_KEY_FILE": str(folders.tls / KEY)}
