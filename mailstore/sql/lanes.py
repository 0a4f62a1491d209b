"""What the statements of a delivery need of a database: to be run, each with what to call with its answer."""

from __future__ import annotations

from typing import Protocol

from mailstore.pg.pipeline import Answer, Steps
from mailstore.pg.statement import Parameters, Statement


class Lanes(Protocol):
    """`sql.connection_pool` answers later, on the loop of a worker; `sql.orm_lanes` before the call returns."""

    def read(self, statement: Statement, parameters: Parameters, done: Answer) -> None: ...

    def write(self, steps: Steps, done: Answer) -> None:
        """Run the steps as one transaction; `done` gets the last one's result."""
