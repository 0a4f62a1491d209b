"""The README's table of settings and the code name the same variables, with the same defaults."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

from popadmin.config import environment

REPOSITORY = Path(__file__).resolve().parents[1]
READERS = {
    "text",
    "one_of",
    "boolean",
    "integer",
    "words",
    "networks",
    "listen",
    "secret",
    "matching",
    "folder",
    "port",
}
ROW = re.compile(r"^\| `(?P<name>[A-Z0-9_]+)`(?P<file> \*file\*)? \| (?P<default>.*?) \|", re.MULTILINE)


def readers() -> set[str]:
    """Whatever reads one variable: named by its first argument; `bad` only makes an error of one."""
    functions = inspect.getmembers(environment, inspect.isfunction)
    signatures = {name: inspect.signature(function) for name, function in functions if not name.startswith("_")}
    return {name for name, signature in signatures.items() if next(iter(signature.parameters)) == "variable"} - {"bad"}


def calls() -> list[ast.Call]:
    """Each `env.READER("VARIABLE", ...)` of settings.py."""
    known = readers()
    tree = ast.parse((REPOSITORY / "popadmin" / "settings.py").read_text())
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    return [
        call
        for call in found
        if isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and (call.func.value.id, call.func.attr in known) == ("env", True)
    ]


def name(call: ast.Call) -> str:
    assert isinstance(call.args[0], ast.Constant)
    return str(call.args[0].value)


def reader(call: ast.Call) -> str:
    assert isinstance(call.func, ast.Attribute)
    return call.func.attr


def default(call: ast.Call) -> str | None:
    """The default as one writes it in the environment; None where it is computed or there is none."""
    values = [*call.args[1:2], *(keyword.value for keyword in call.keywords if keyword.arg == "default")]
    if not values or not isinstance(values[0], ast.Constant):
        return None
    value = values[0].value
    return str(value).lower() if isinstance(value, bool) else str(value)


def rows() -> dict[str, re.Match[str]]:
    table = (REPOSITORY / "README.md").read_text().partition("\n## Settings\n")[2].partition("\n## ")[0]
    return {row["name"]: row for row in ROW.finditer(table)}


def test_the_table_lists_exactly_the_variables_that_the_settings_read() -> None:
    assert sorted(rows()) == sorted({name(call) for call in calls()})


def test_the_table_tells_the_defaults_that_the_settings_have() -> None:
    known = {name(call): value for call in calls() if (value := default(call))}
    assert {variable: rows()[variable]["default"] for variable in known} == {
        variable: f"`{value}`" for variable, value in known.items()
    }


def test_the_table_marks_exactly_those_that_may_stand_in_a_file() -> None:
    assert {variable for variable, row in rows().items() if row["file"]} == {
        name(call) for call in calls() if reader(call) == "secret"
    }
