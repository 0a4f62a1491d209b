"""The supervisor starts, restarts and stops its children in order, and ends those left by a killed one."""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from popadmin.up.endpoints import Endpoint
from tests.up.programs import alive, await_line, free_ports, python, running, until

STOPS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])


def command(folder: Path, ports: list[int], manner: str = "plain") -> list[str]:
    return python("tests.up.small_supervisor", str(folder), *map(str, ports), manner)


def events(folder: Path) -> list[tuple[str, str, int]]:
    """Who, what, and its pid, in the order in which it happened."""
    lines = (line.split() for line in (folder / "events").read_text().splitlines())
    return [(who, what, int(pid)) for who, what, pid in lines]


def pid_of(folder: Path, name: str) -> int:
    return [pid for who, what, pid in events(folder) if (who, what) == (name, "started")][-1]


@STOPS
def test_one_signal_stops_all_stage_by_stage_and_exits_0(folder: Path, number: signal.Signals) -> None:
    with running(command(folder, free_ports(2))) as process:
        await_line(process, "ready")
        process.send_signal(number)
        assert process.wait(60) == 0
    assert [(who, what) for who, what, _pid in events(folder)][2:] == [
        ("first", "asked"),
        ("first", "ended"),
        ("last", "asked"),
        ("last", "ended"),
    ]


def test_a_second_signal_does_not_wait_for_a_child_that_lingers(folder: Path) -> None:
    with running(command(folder, free_ports(2), "stubborn")) as process:
        await_line(process, "ready")
        process.send_signal(signal.SIGINT)
        until(lambda: "first asked" in (folder / "events").read_text(), "the first signal has arrived")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0  # it would wait for 40 s
    assert not alive(pid_of(folder, "first"))


def test_a_child_that_crashes_is_started_again_and_the_others_are_left_alone(folder: Path) -> None:
    with running(command(folder, free_ports(2))) as process:
        await_line(process, "ready")
        crashed, other = pid_of(folder, "first"), pid_of(folder, "last")
        os.kill(crashed, signal.SIGKILL)
        await_line(process, "first ended (killed by SIGKILL)")
        until(lambda: pid_of(folder, "first") != crashed, "it has started again")
        assert alive(other)


def test_a_child_that_cannot_start_stops_the_start_and_is_named(folder: Path) -> None:
    ports = free_ports(2)
    with running(command(folder, ports, "broken")) as process:
        await_line(process, "first did not start")
        assert process.wait(60) == 1
    assert not Endpoint("LAST_LISTEN", f"127.0.0.1:{ports[1]}").listened_on()


def test_a_port_in_use_is_refused_in_one_line_that_names_the_variable(folder: Path) -> None:
    ports = free_ports(2)
    with socket.create_server(("127.0.0.1", ports[1])), running(command(folder, ports)) as process:
        await_line(process, f"LAST_LISTEN=127.0.0.1:{ports[1]} is in use: set LAST_LISTEN")
        assert process.wait(60) == 1
    assert not (folder / "events").exists()


def test_a_second_one_on_the_same_folder_is_refused_and_the_first_goes_on(folder: Path) -> None:
    with running(command(folder, free_ports(2))) as process:
        await_line(process, "ready")
        with running(command(folder, free_ports(2))) as second:
            await_line(second, f"popadmin already runs on {folder} (process {process.pid})")
            assert second.wait(60) == 1
        assert process.poll() is None
        assert alive(pid_of(folder, "first"))


def test_children_end_when_their_supervisor_is_killed(folder: Path) -> None:
    with running(command(folder, free_ports(2))) as process:
        await_line(process, "ready")
        process.kill()
        for name in ("first", "last"):
            until(lambda name=name: not alive(pid_of(folder, name)), f"{name} has ended")


def test_the_next_start_ends_a_child_that_lingers_after_its_supervisor_was_killed(folder: Path) -> None:
    ports = free_ports(2)
    with running(command(folder, ports, "stubborn")) as process:
        await_line(process, "ready")
        process.kill()
        lingering = pid_of(folder, "first")
        until(lambda: not alive(pid_of(folder, "last")), "the other has ended")
        assert alive(lingering)
        with running(command(folder, ports)) as again:
            await_line(again, "ready")
            assert not alive(lingering)


@STOPS
def test_a_start_that_is_stopped_while_it_waits_leaves_the_lingering_child_to_the_next(
    folder: Path, number: signal.Signals
) -> None:
    ports = free_ports(2)
    with running(command(folder, ports, "stubborn")) as process:
        await_line(process, "ready")
        process.kill()
        lingering = pid_of(folder, "first")
        until(lambda: not alive(pid_of(folder, "last")), "the other has ended")
        with running(command(folder, ports)) as stopped:
            until(lambda: catches(stopped.pid, number), "it waits, and minds signals")
            stopped.send_signal(number)
            assert stopped.wait(60) != 0
        assert alive(lingering)
        with running(command(folder, ports)) as again:
            await_line(again, "ready")
            assert not alive(lingering)


def catches(pid: int, number: signal.Signals) -> bool:
    """Whether a process has a handler for SIGHUP, the last that the supervisor takes over, and for this signal."""
    (line,) = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigCgt:")]
    caught = int(line.split()[1], 16)
    return all(caught & 1 << (each - 1) for each in (number, signal.SIGHUP))


def test_a_stranger_with_the_pid_of_a_former_child_is_not_ended(folder: Path) -> None:
    with running([sys.executable, "-c", "input()"], start_new_session=True) as stranger:
        (folder / "children.json").write_text(f'[[{stranger.pid}, "1"]]')
        with running(command(folder, free_ports(2))) as process:
            await_line(process, "ready")
        assert stranger.poll() is None
        stranger.communicate("\n", timeout=60)
