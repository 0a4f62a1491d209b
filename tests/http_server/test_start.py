"""Every way to start the web port starts the same worker class."""

from __future__ import annotations

import re

import pytest
import yaml

from popadmin.up.services import WEB_THREADS, WEB_WORKERS, gunicorn
from tests.http_server.web_process import ROOT

COMMANDS = {
    "up": " ".join(gunicorn(["127.0.0.1:8000"])),
    "image": re.sub(r'[",\\\s]+', " ", (ROOT / "Dockerfile").read_text().rpartition("\nCMD ")[2]),
    "unit": "".join(re.findall(r"`(gunicorn .*?)`", (ROOT / "docs" / "install.md").read_text())),
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_the_web_port_is_the_one_whose_threads_wait_for_nobody(command: str) -> None:
    assert "--no-control-socket" in command
    assert "--worker-class=popadmin.http_server.worker.Worker" in command
    assert f"--workers={WEB_WORKERS} --threads={WEB_THREADS}" in command


def test_the_temporary_folder_of_the_containers_is_bounded() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    for name in ("web", "pop3", "lmtp", "sweep", "migrate"):
        assert compose["services"][name]["tmpfs"] == ["/tmp:size=64m"]
