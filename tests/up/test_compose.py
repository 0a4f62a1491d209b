"""The container files do what the guide says; no container engine is needed."""

from __future__ import annotations

import ast
import re
from typing import Any

import pytest
import yaml

from mailstore.sql.connection_pool import WRITE_LANES
from mailstore.wiring import POP3_WRITE_LANES
from popadmin.up.services import SPARE_CONNECTIONS
from tests.up.programs import REPOSITORY

QUESTION_CONNECTIONS = 2  # of authd, and of policyd (docs/install.md, Connections to Postgres)
LISTENERS = ("pop3", "lmtp", "auth", "policy")
OURS = ("migrate", "web", *LISTENERS, "sweep")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())


@pytest.fixture(scope="module")
def dockerfile() -> str:
    return (REPOSITORY / "Dockerfile").read_text()


def services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: compose["services"][name] for name in OURS}


def test_postgres_and_our_services_are_there_and_ours_share_one_image(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {"database", *OURS}
    assert len({service["image"] for service in services(compose).values()}) == 1


def test_every_image_has_a_version(compose: dict[str, Any], dockerfile: str) -> None:
    images = [service["image"] for service in compose["services"].values()]
    images += re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    assert all(re.search(r":[\w.-]*\d", image) for image in images)


def test_the_image_does_not_run_as_root(dockerfile: str) -> None:
    final = dockerfile.rpartition("\nFROM ")[2]
    assert re.findall(r"^USER (\S+)", final, re.MULTILINE) == ["popadmin"]


def test_the_image_knows_its_version(dockerfile: str) -> None:
    assert re.search(r"^COPY .*\bpyproject\.toml\b", dockerfile, re.MULTILINE)


def test_packages_are_installed_by_their_hashes(dockerfile: str) -> None:
    for line in re.findall(r"pip install.*", dockerfile):
        assert "--require-hashes" in line


def test_every_service_that_listens_has_a_health_check_without_curl(compose: dict[str, Any], dockerfile: str) -> None:
    assert "curl" not in dockerfile
    for name in ("database", *LISTENERS):
        check = compose["services"][name]["healthcheck"]["test"]
        assert check[0] == "CMD"
        assert "curl" not in " ".join(check)
    assert "healthcheck" not in compose["services"]["web"]  # the image's own
    assert "/healthz" in dockerfile


def test_the_health_checks_are_programs_that_parse(compose: dict[str, Any], dockerfile: str) -> None:
    checks = [compose["services"][name]["healthcheck"]["test"][3] for name in LISTENERS]
    command = re.search(r'CMD \["python", "-c", "(.*)"\]', dockerfile)
    assert command
    for program in [*checks, command[1]]:
        ast.parse(program)


def test_the_database_is_migrated_once_before_anything_serves(compose: dict[str, Any]) -> None:
    for name in ("web", *LISTENERS, "sweep"):
        needs = services(compose)[name]["depends_on"]
        assert needs["migrate"] == {"condition": "service_completed_successfully"}
        assert needs["database"] == {"condition": "service_healthy"}
    assert services(compose)["migrate"]["restart"] == "no"


def test_secrets_come_as_files_and_never_as_values(compose: dict[str, Any]) -> None:
    assert {"DATABASE_URL_FILE", "SECRET_KEY_FILE"} <= set(services(compose)["web"]["environment"])
    for service in compose["services"].values():
        secret = [name for name in service.get("environment", {}) if re.search("PASSWORD|SECRET|_URL", name)]
        assert all(name.endswith("_FILE") for name in secret)
    assert all(set(secret) == {"file"} for secret in compose["secrets"].values())


def test_postgres_lets_every_service_connect_on_a_machine_of_64_cores(compose: dict[str, Any], dockerfile: str) -> None:
    listeners = 64 * (1 + POP3_WRITE_LANES) + 4 * (1 + WRITE_LANES) + 2 * QUESTION_CONNECTIONS
    workers, threads = (int(number) for number in re.findall(r"--(?:workers|threads)=(\d+)", dockerfile))
    setting = compose["services"]["database"]["command"][-1]
    assert int(setting.removeprefix("max_connections=")) >= listeners + workers * threads + SPARE_CONNECTIONS


def test_ports_are_published_on_loopback_until_the_operator_says_otherwise(compose: dict[str, Any]) -> None:
    published = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith(("127.0.0.1:", "${PUBLISH_ADDRESS:-127.0.0.1}:")) for port in published)


def test_owners_are_told_the_ports_that_are_published_not_those_inside(compose: dict[str, Any]) -> None:
    environment = services(compose)["web"]["environment"]
    published = services(compose)["pop3"]["ports"]
    for name in ("PUBLIC_POP3_PORT", "PUBLIC_POP3S_PORT"):
        assert [port for port in published if f":{environment[name]}:" in port], name


def test_every_setting_of_the_operators_reaches_every_service_of_the_image(compose: dict[str, Any]) -> None:
    for service in services(compose).values():
        assert service["env_file"] == [{"path": ".env", "required": False}]


def test_a_certificate_of_the_operators_reaches_every_service_of_the_image(compose: dict[str, Any]) -> None:
    guide = (REPOSITORY / "docs" / "install.md").read_text()
    for service in services(compose).values():
        assert "./tls:/etc/popadmin/tls:ro" in service["volumes"]
    assert "TLS_CERT_FILE=/etc/popadmin/tls/" in guide.partition("\n## Containers\n")[2]


def test_every_anchor_is_used() -> None:
    text = re.sub(r"#.*", "", (REPOSITORY / "docker-compose.yml").read_text())
    assert set(re.findall(r"&([a-z-]+)", text)) == set(re.findall(r"\*([a-z-]+)", text))


def test_the_image_names_no_address_that_its_command_does_not_obey(dockerfile: str) -> None:
    assert "WEB_LISTEN=" not in dockerfile
    assert "--bind=0.0.0.0:8000" in dockerfile


def test_what_must_last_is_in_named_volumes(compose: dict[str, Any]) -> None:
    assert set(compose["volumes"]) == {"database", "mail"}
    for name in ("web", *LISTENERS, "sweep"):
        assert "mail:/var/lib/popadmin" in services(compose)[name]["volumes"]


# --- the file against the Compose specification, for want of an engine --------------------------------------------

TOP = {"name", "services", "volumes", "secrets"}
SERVICE = {
    "build", "cap_drop", "command", "depends_on", "env_file", "environment", "healthcheck", "image", "ports",
    "read_only", "restart", "secrets", "security_opt", "shm_size", "stop_grace_period", "tmpfs", "volumes",
}  # fmt: skip
HEALTH = {"test", "interval", "timeout", "start_period", "retries", "disable"}
CONDITIONS = {"service_started", "service_healthy", "service_completed_successfully"}
DURATION = re.compile(r"(\d+(us|ms|s|m|h))+")
PORT = re.compile(r"\d+(\.\d+){3}:\d+:\d+")


def interpolated(text: str) -> str:
    """As Compose reads it where nothing is set: `${NAME:-default}` is the default."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


def test_every_key_is_one_of_the_compose_specification(compose: dict[str, Any]) -> None:
    assert {key for key in compose if not key.startswith("x-")} <= TOP
    for service in compose["services"].values():
        assert set(service) <= SERVICE
        assert set(service.get("healthcheck", {})) <= HEALTH


def test_durations_ports_and_restarts_are_written_as_compose_reads_them(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        check = service.get("healthcheck", {})
        durations = [check[name] for name in ("interval", "timeout", "start_period") if name in check]
        assert all(DURATION.fullmatch(text) for text in [*durations, service["stop_grace_period"]])
        assert all(PORT.fullmatch(interpolated(port)) for port in service.get("ports", []))
        assert service["restart"] in {"no", "always", "on-failure", "unless-stopped"}
        assert all(isinstance(word, str) for word in service.get("command", []))
        values = service["environment"].values()
        assert all(isinstance(value, str) for value in values)


def test_what_a_service_names_is_declared(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert set(service["secrets"]) <= set(compose["secrets"])
        sources = {volume.partition(":")[0] for volume in service["volumes"]}
        assert {source for source in sources if not source.startswith("./")} <= set(compose["volumes"])
        for name, needs in service.get("depends_on", {}).items():
            assert name in compose["services"]
            assert needs["condition"] in CONDITIONS
            if needs["condition"] == "service_healthy":
                assert "test" in compose["services"][name]["healthcheck"]
