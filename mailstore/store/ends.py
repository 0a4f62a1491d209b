"""How sessions end, as the diary tells it to owners; the log has the reason itself."""

from __future__ import annotations

from mailstore.models import DiarySession

_Ended = DiarySession.Ended
# What connections and sessions say when they end (listener, pop3). Whatever is not here is the other side's doing.
_KINDS = {
    "quit": _Ended.QUIT,
    "idle": _Ended.IDLE,
    "barred": _Ended.BARRED,
    "shutdown": _Ended.SHUTDOWN,
    "failed": _Ended.FAILED,
    "body failed": _Ended.FAILED,
}


def kind(reason: str) -> str:
    return _KINDS.get(reason, _Ended.LOST).value
