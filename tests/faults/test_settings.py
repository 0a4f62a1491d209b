"""Wrong settings stop the start with exit code 2 and one line: variable, value, and what is allowed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.listeners import MANAGE

SETTINGS = MANAGE.parent / "popadmin" / "settings.py"

COMMANDS = {
    "LMTP_LISTEN": "lmtpd",
    "SASL_LISTEN": "authd",
    "POLICY_LISTEN": "policyd",
}  # what reads a setting, where it is not pop3d
# (variable, value, what the line says is allowed); FILE stands for a file that is there, GONE for one that is not,
# EMPTY and NOISE for files that hold nothing, and no text.
CASES = [
    ("POPADMIN_DATA_DIR", "FILE", "a folder"),
    ("POPADMIN_DATA_DIR", "FILE/below", "a folder"),
    ("POPADMIN_GENERATE", "perhaps", "true or false"),
    ("DEBUG", "maybe", "true or false"),
    ("DEBUG", "2", "true or false"),
    ("SECRET_KEY_FILE", "GONE", "the name of a readable file"),
    ("SECRET_KEY_FILE", "NOISE", "the name of a readable file"),
    ("SECRET_KEY_FILE", "EMPTY", "the name of a readable file (it is empty)"),
    ("DATABASE_URL_FILE", "EMPTY", "the name of a readable file (it is empty)"),
    ("PUBLIC_HOSTNAME", "two words", "a host name"),
    ("PUBLIC_HOSTNAME", "mail.example.org\nX-Evil: 1", "a host name"),
    ("PUBLIC_HOSTNAME", "-mail.example.org", "a host name"),
    ("ALLOWED_HOSTS", "two words", "host names"),
    ("ALLOWED_HOSTS", "https://panel.example.org", "host names"),
    ("CSRF_TRUSTED_ORIGINS", "panel.example.org", "origins such as"),
    ("WEB_LISTEN", "8000", "HOST:PORT"),
    ("POP3_LISTEN", "127.0.0.1:65536", "HOST:PORT"),
    ("POP3_LISTEN", "127.0.0.1:-1", "HOST:PORT"),
    ("POP3_LISTEN", "127.0.0.1:" + "9" * 5000, "HOST:PORT"),
    ("POP3_LISTEN", "192.0.2.1:1", "choose another address"),
    ("POP3S_LISTEN", "::1:995", "[IPV6]:PORT"),
    ("POP3_PROXY_LISTEN", "unix:/run/popadmin", "HOST:PORT or [IPV6]:PORT"),
    ("POP3_PROXY_LISTEN", "127.0.0.1:0", "TRUSTED_PROXIES is empty"),
    ("POP3S_PROXY_LISTEN", "127.0.0.1:0", "TRUSTED_PROXIES is empty"),
    ("POP3S_LEGACY_LISTEN", "unix:/run/popadmin", "HOST:PORT or [IPV6]:PORT"),
    ("LMTP_LISTEN", "unix:relative", "unix:/path"),
    ("LMTP_LISTEN", "", "nothing to listen on"),
    ("LMTP_LISTEN", "unix:/GONE/socket", "choose another address"),
    ("SASL_LISTEN", "unix:relative", "unix:/path"),
    ("SASL_LISTEN", "", "nothing to listen on"),
    ("MTA_SQL_LISTEN", "0.0.0.0:5433", "one address of this machine alone"),
    ("MTA_SQL_LISTEN", "localhost:5433", "one address of this machine alone"),
    ("MTA_SQL_LISTEN", "127.0.0.1:5433,127.0.0.2:5433", "one address of this machine alone"),
    ("MTA_SQL_LISTEN", "127.0.0.1:5433", "but DATABASE_URL is set"),
    ("MTA_SQL_LISTEN", "unix:/run/popadmin", "HOST:PORT or [IPV6]:PORT"),
    ("POLICY_LISTEN", "127.0.0.1", "HOST:PORT"),
    ("POLICY_LISTEN", "", "nothing to listen on"),
    ("PUBLIC_POP3_PORT", "0", "from 1 to 65535"),
    ("PUBLIC_POP3S_PORT", "pop3s", "from 1 to 65535"),
    ("PUBLIC_SUBMISSIONS_PORT", "smtps", "from 1 to 65535"),
    ("PUBLIC_SUBMISSION_PORT", "0", "from 1 to 65535"),
    ("PUBLIC_SMTP_HOSTNAME", "smtp example", "a host name"),
    ("PUBLIC_URL", "panel.example.org", "an origin such as https://mail.example.org"),
    ("PUBLIC_URL", "https://panel.example.org/", "an origin such as https://mail.example.org"),
    ("PROVIDER_NAME", "x" * 61, "1 to 60 characters"),
    ("PUBLIC_MX_HOSTNAMES", "mx1.example.org,mx 2", "host names such as mx1.example.org"),
    ("DNS_SERVERS", "ns.example.org", "IP addresses"),
    ("DNS_SERVERS", "192.0.2.1:99999", "IP addresses"),
    ("DNS_SPF", "mx -all", "a text such as v=spf1 mx -all"),
    ("DNS_DMARC", "p=reject", "a text such as v=DMARC1"),
    ("DKIM_SELECTOR", "two words", "a name such as 2026"),
    ("DKIM_RECORD", "v=DKIM1", "the text of the record"),
    ("PROFILE_SIGN_CERT_FILE", "FILE", "set both, or neither"),
    ("PROFILE_SIGN_KEY_FILE", "FILE", "set both, or neither"),
    ("PLAINTEXT_LOGIN", "sometimes", "loopback or never or always"),
    ("DEFAULT_LOGIN_DOMAIN", "no domain", "a domain such as example.test"),
    ("LOGIN_SEPARATORS", "!", "some of % / +"),
    ("POP3_WORKERS", "0", "from 1 to 256"),
    ("POP3_WORKERS", "two", "from 1 to 256"),
    ("POP3_WORKERS", "٢", "from 1 to 256"),
    ("LMTP_WORKERS", "1.5", "from 1 to 256"),
    ("POP3_IDLE_SECONDS", "599", "from 600"),
    ("POP3_MAX_CONNECTIONS", "-1", "from 1"),
    ("POP3_MAX_CONNECTIONS_PER_IP", "9" * 100, "from 1"),
    ("TRUSTED_PROXIES", "10.0.0.1/8", "networks such as"),
    ("TRUSTED_PROXIES", "proxy.example.org", "networks such as"),
    ("METRICS_NETWORKS", "prometheus.example.org", "networks such as"),
    ("TLS_CERT_FILE", "GONE", "not there"),
    ("TLS_KEY_FILE", "FILE", "go together"),
    ("TLS_CERT_FILE", "FILE,FILE", "each certificate needs its key"),
    ("TLS_SNI_DIR", "GONE", "a folder of NAME/fullchain.pem"),
    ("CONFIRM_FORWARDS", "maybe", "true or false"),
    ("MTA_LOG", "mail.log", "journal"),
    ("MAX_MESSAGE_SIZE", "none", "64KB"),
    ("MAX_MESSAGE_SIZE", "-5MB", "64KB"),
    ("MAX_MESSAGE_SIZE", "1KB", "64KB"),
    ("DATABASE_URL", "mysql://root@localhost/mail", "postgres://"),
    ("DATABASE_URL", "postgres://", "postgres://"),
    ("DATABASE_URL", "postgres://popadmin@localhost:port/mail", "postgres://"),
    ("MAIL_STORE_URL", "file:relative", "file:/absolute/folder"),
    ("MAIL_STORE_URL", "ftp://mail.example.org", "file:/absolute/folder"),
    ("EMAIL_URL", "mail.example.org", "smtp://HOST:25"),
    ("EMAIL_URL", "smtp://", "smtp://HOST:25"),
    ("EMAIL_URL", "smtp://mail.example.org:port", "smtp://HOST:25"),
    ("EMAIL_URL", "smtps://mail.example.org", "smtp+ssl://"),
    ("EMAIL_URL", "filemail://relative", "filemail:////FOLDER"),
    ("EMAIL_URL_FILE", "EMPTY", "it is empty"),
    ("EMAIL_FROM", "postmaster", "an address"),
    ("EMAIL_FROM", "a@example.org\nBcc: b@example.org", "an address"),
    ("POPADMIN_DEMO", "perhaps", "true or false"),
    ("REMOVED_DAYS", "0", "from 1 to 3650"),
    ("BODY_CHECK_DAYS", "-1", "from 0 to 3650"),
    ("LOG_FORMAT", "xml", "text or json"),
    ("LOG_LEVEL", "loud", "debug or info"),
]


def start(folder: Path, variable: str, value: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Try to start a listener with one setting wrong."""
    folder = Path(tempfile.mkdtemp(dir=folder))
    noise = folder / "noise"
    noise.write_bytes(b"\xff\xfe\x00\x01")
    empty = folder / "empty"
    empty.write_text("\n")
    value = value.replace("GONE", str(folder / "gone")).replace("FILE", str(SETTINGS)).replace("NOISE", str(noise))
    value = value.replace("EMPTY", str(empty))
    environment = {
        **os.environ,
        "DATABASE_URL": "postgres://nobody@/none?host=/nowhere",
        "POPADMIN_DATA_DIR": str(folder / "data"),
    }
    environment.pop(variable.removesuffix("_FILE"), None)
    command = COMMANDS.get(variable, "pop3d")
    return subprocess.run(
        [sys.executable, str(MANAGE), command],
        env={**environment, variable: value, **more},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def attempts(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], subprocess.CompletedProcess[str]]:
    """All cases, two at a time: most of the time of each is Python's start."""
    folder = tmp_path_factory.mktemp("settings")
    with ThreadPoolExecutor(2) as pool:
        tried = pool.map(lambda case: start(folder, case[0], case[1]), CASES)
    return {(variable, value): done for (variable, value, _), done in zip(CASES, tried, strict=True)}


@pytest.mark.parametrize(("variable", "value", "allowed"), CASES, ids=lambda text: text[:40])
def test_a_wrong_setting_is_one_line_and_no_start(
    attempts: dict[tuple[str, str], subprocess.CompletedProcess[str]], variable: str, value: str, allowed: str
) -> None:
    done = attempts[variable, value]
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("popadmin: ")
    assert variable.removesuffix("_FILE") in done.stderr
    assert allowed in done.stderr


def test_a_refused_database_address_does_not_print_its_password(tmp_path: Path) -> None:
    for url in ("mysql://root:s3cret@localhost/mail", "postgres://root:s3cret@localhost:x/mail", "s3cret"):
        assert "s3cret" not in start(tmp_path, "DATABASE_URL", url).stderr


def test_a_refused_mail_server_does_not_print_its_password(tmp_path: Path) -> None:
    for url in ("smtps://me:s3cret@mail.example.org", "smtp://me:s3cret@mail.example.org:x", "s3cret"):
        assert "s3cret" not in start(tmp_path, "EMAIL_URL", url).stderr


def test_a_pop3_listener_with_nowhere_to_listen_does_not_run_for_ever_on_nothing(tmp_path: Path) -> None:
    done = start(tmp_path, "POP3_LISTEN", "", POP3S_LISTEN="")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "POP3_LISTEN and POP3S_LISTEN" in done.stderr


def test_every_setting_has_a_wrong_value_here() -> None:
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z0-9_]+)"', SETTINGS.read_text()))
    tried = {variable if variable in read else variable.removesuffix("_FILE") for variable, _, _ in CASES}
    assert tried == read
