"""The counts of one day, as the charts draw them."""

from __future__ import annotations

import datetime
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Day:
    date: datetime.date
    deliveries: int
    sign_ins: int
    refused: int
