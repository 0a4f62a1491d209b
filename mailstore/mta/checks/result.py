"""What one check of the mail flow found. `check_text.py` has the words for people."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class State(StrEnum):
    GOOD = "good"
    BAD = "bad"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Result:
    """The result of the check `name`.

    `said` is what was seen, in the words of the program that said it. `fault` is the key of what is wrong, or why the
    check was skipped; empty if all is well. `facts` fill the texts of the fault.
    """

    name: str
    state: State
    said: str = ""
    fault: str = ""
    facts: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "state": self.state.value,
            "said": self.said,
            "fault": self.fault,
            "facts": self.facts,
        }


def from_json(values: dict[str, Any]) -> Result:
    """Read back what `to_json` returned."""
    return Result(values["name"], State(values["state"]), values["said"], values["fault"], values["facts"])


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check function returns: without a `fault` all is well. The table of checks knows its name."""

    said: str = ""
    fault: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    is_skipped: bool = False

    def of(self, name: str) -> Result:
        state = State.SKIPPED if self.is_skipped else State.BAD if self.fault else State.GOOD
        return Result(name, state, self.said, self.fault, self.facts)


def bad(fault: str, said: str = "", **facts: object) -> Finding:
    return Finding(said, fault, {name: str(value) for name, value in facts.items()})


def skipped(why: str, **facts: object) -> Finding:
    return Finding("", why, {name: str(value) for name, value in facts.items()}, is_skipped=True)
