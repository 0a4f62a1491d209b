"""The pages for everybody elsewhere: a server of nginx, which speaks TLS with the certificate of the site."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from popadmin.quickstart import certificate
from popadmin.quickstart.answers import Answers
from popadmin.quickstart.machine import Folders

# Names below a domain under which its mail programs ask for settings (docs/connecting.md).
ASKED = ("autoconfig", "autodiscover", "ua-auto-config")
_SERVER = """\
# Written by `popadmin quickstart`, which leaves it alone once it is changed.
server {{
    listen 443 ssl;
    listen [::]:443 ssl;
    server_name {names};
{pairs}    client_max_body_size 25m;
    location / {{
        proxy_pass http://{web};
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto https;
    }}
}}
"""
_PAIR = """\
    ssl_certificate {chain};
    ssl_certificate_key {key};
"""


def is_installed(folders: Folders) -> bool:
    return folders.nginx.is_dir()


def path(folders: Folders) -> Path:
    return folders.nginx / "popadmin.conf"


def server(folders: Folders, answers: Answers, web: str, settings: Mapping[str, str]) -> str:
    """Return the file. `settings` are those of the site, `web` is where its pages listen."""
    pair = {**certificate.self_signed_files(folders), **settings}
    files = zip(pair["TLS_CERT_FILE"].split(","), pair["TLS_KEY_FILE"].split(","), strict=True)
    pairs = "".join(_PAIR.format(chain=chain.strip(), key=key.strip()) for chain, key in files)
    names = " ".join((answers.hostname, *(f"{name}.{answers.domain}" for name in ASKED)))
    return _SERVER.format(names=names, pairs=pairs, web=web)


def is_changed(folders: Folders, answers: Answers, web: str) -> bool:
    """Return whether the file is there and is none that quickstart has written for this site."""
    if not path(folders).exists():
        return False
    written = (server(folders, answers, web, pair) for pair in ({}, certificate.settings(folders)))
    return path(folders).read_text() not in written
