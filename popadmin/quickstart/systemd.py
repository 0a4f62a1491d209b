"""What systemd says of the services of a site."""

from __future__ import annotations

from pathlib import Path

from popadmin.quickstart import machine


def is_running() -> bool:
    """Return whether systemd runs this machine (sd_booted(3))."""
    return Path("/run/systemd/system").is_dir()


def runs_and_stays(unit: str) -> bool:
    """Return whether a service runs, and starts with the machine."""
    return _is("active", unit) and stays(unit)


def stays(unit: str) -> bool:
    """Return whether a service starts with the machine."""
    return _is("enabled", unit)


def _is(state: str, unit: str) -> bool:
    return machine.run(("systemctl", f"is-{state}", "--quiet", unit)).returncode == 0


def started_at(unit: str) -> float:
    """Return when a service was started last, in seconds since the epoch; 0 if it was not."""
    show = ("systemctl", "show", "--property=ActiveEnterTimestamp", "--timestamp=unix", "--value", unit)
    said = machine.run(show).stdout.strip().removeprefix("@")
    return float(said) if said else 0.0
