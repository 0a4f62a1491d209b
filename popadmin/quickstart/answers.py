"""What `quickstart` has to be told: the name of the machine, the first domain, the first administrator."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from dataclasses import dataclass

from mailstore.mta import host_name

LOGIN = re.compile(r"[a-z][a-z0-9._-]{0,62}")


@dataclass(frozen=True, slots=True)
class Answers:
    """`hostname` is what customers and other servers connect to; `admin` is a login without @."""

    hostname: str
    domain: str
    admin: str


@dataclass(frozen=True, slots=True)
class Question:
    """`name` is that of the option and of the field of Answers. `default` may use the answers before it."""

    name: str
    text: str
    form: re.Pattern[str]
    wanted: str
    default: Callable[[dict[str, str]], str]


class Unanswered(ValueError):
    """`str(error)` names the option and what it takes."""


def _own_name(_answers: dict[str, str]) -> str:
    return socket.getfqdn().lower()


def _domain_of_host(answers: dict[str, str]) -> str:
    """Return example.org for mail.example.org, and example.org for itself."""
    _host, _dot, domain = answers["hostname"].partition(".")
    return domain if "." in domain else answers["hostname"]


QUESTIONS = (
    Question(
        "hostname", "Name of this machine, as customers connect to it", host_name.FULL,
        "a full host name such as mail.example.org", _own_name,
    ),
    Question("domain", "First mail domain", host_name.FULL, "a domain such as example.org", _domain_of_host),
    Question("admin", "Login of the first administrator", LOGIN, "a login such as admin", lambda _answers: "admin"),
)  # fmt: skip


def collect(given: dict[str, str | None], ask: Callable[[str, str], str] | None) -> Answers:
    """Return the answers: the given ones, and of the others what `ask` returns for a text and a default.

    Without `ask` the defaults are taken. Unanswered if one does not have the form that is wanted.
    """
    answers: dict[str, str] = {}
    for question in QUESTIONS:
        answer = given.get(question.name)
        if answer is None:
            default = question.default(answers)
            default = default if question.form.fullmatch(default) else ""
            answer = ask(question.text, default) if ask else default
        answer = answer.strip().lower().rstrip(".")
        if not question.form.fullmatch(answer):
            raise Unanswered(f"--{question.name} takes {question.wanted}, not {answer!r}")
        answers[question.name] = answer
    return Answers(**answers)
