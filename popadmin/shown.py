"""What ties what is sent to what was shown before: a mark that the page of a preview carries and a save must bring."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def mark(values: Mapping[str, Any]) -> str:
    """The same for the same values, another for others; of a row its words count."""
    return hashlib.sha256(json.dumps(values, default=str, sort_keys=True).encode()).hexdigest()
