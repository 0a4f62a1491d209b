"""`python -m bench`: start the sides, verify their answers, run the scenarios and print the figures."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench import certificate, dovecot, meter, ours, password_guessing, report, rounds, verify
from bench.client import WrongAnswer
from bench.mailbox_groups import POLLED, RECIPIENTS
from bench.scenarios import SCENARIOS, Scenario
from bench.side import Side
from bench.wait_scenarios import WAITS, WaitScenario, WaitTimes, measure
from bench.workloads import create_mailboxes

EXAMPLE = "example: python -m bench --quick --scenario poll --scenario fetch-tls"


def main() -> None:
    options = _options()
    if password_guessing.NAME in (options.scenario or [password_guessing.NAME]):
        password_guessing.report()
    chosen = [each for each in SCENARIOS if not options.scenario or each.name in options.scenario]
    waits = [each for each in WAITS if not options.scenario or each.scenario in options.scenario]
    if not (chosen or waits):
        return
    groups = list(dict.fromkeys([each.workload.group for each in chosen] + ([POLLED, RECIPIENTS] if waits else [])))
    pace = rounds.QUICK if options.quick else rounds.FULL
    with workplace() as folder, ExitStack() as stack:
        sides = _sides(folder, only_ours=options.only_ours)
        facts = _facts(folder, sides)
        for side in sides if chosen else sides[:1]:
            stack.callback(side.meter.close)
            stack.callback(side.stop)
            side.start()
            create_mailboxes(side, groups)
            facts[f"{side.name}, TLS"] = verify.answers(side, groups)
        print(*(f"{name}: {fact}" for name, fact in facts.items()), "", sep="\n", flush=True)
        results = _play(chosen, sides, pace)
        waited = _wait(waits, sides[0], pace)
    if chosen:
        print("", report.table(chosen, results, "ours", "dovecot"), sep="\n")
    if waits:
        print("", report.wait_table(waits, waited), sep="\n")
    if options.json:
        report.write_json(options.json, facts, results)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__, epilog=EXAMPLE)
    names = [each.name for each in SCENARIOS] + [each.scenario for each in WAITS] + [password_guessing.NAME]
    names = list(dict.fromkeys(names))
    parser.add_argument("--scenario", action="append", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--quick", action="store_true", help="one short round instead of three")
    parser.add_argument("--only-ours", action="store_true", help="without Dovecot, also where it is installed")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser.parse_args()


@contextmanager
def workplace() -> Iterator[Path]:
    """Give a temporary folder that servers of other users can enter."""
    folder = Path(tempfile.mkdtemp(prefix="popadmin-bench-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sides(folder: Path, *, only_ours: bool) -> list[Side]:
    keypair = certificate.make(folder)
    sides: list[Side] = [ours.Ours(folder / "ours", meter.new("ours"), keypair)]
    if dovecot.installed() and not only_ours:
        sides.append(dovecot.Dovecot(folder / "dovecot", meter.new("dovecot"), keypair))
    return sides


def _facts(folder: Path, sides: list[Side]) -> dict[str, str]:
    disk = os.statvfs(folder)
    return {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "folder": f"{folder} ({disk.f_bavail * disk.f_frsize // 10**9} GB free)",
        "CPU read from": sides[0].meter.how,
        "compared with": ", ".join(side.name for side in sides[1:])
        or "nothing: Dovecot is not installed or not wanted",
    }


def _play(chosen: list[Scenario], sides: list[Side], pace: rounds.Pace) -> report.Results:
    if not chosen:
        return {}
    idle = {side.name: rounds.idle_share(side) for side in sides}
    results: report.Results = {}
    for scenario in chosen:
        results[scenario.name] = rounds.run(scenario, sides, idle, pace)
        for name, result in results[scenario.name].items():
            print(report.line(scenario, name, result), flush=True)
    return results


def _wait(waits: list[WaitScenario], side: Side, pace: rounds.Pace) -> list[WaitTimes]:
    """Measure popadmin alone, one line after the other."""
    results = []
    for wait in waits:
        results.append(measure(wait, side, pace))
        print(report.wait_line(wait, results[-1]), flush=True)
    return results


if __name__ == "__main__":
    try:
        main()
    except WrongAnswer as error:
        raise SystemExit(f"bench: no figures, because a server answered wrongly: {error}") from None
