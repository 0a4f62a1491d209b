"""How sessions end, as the diary tells it to owners; the log has the reason itself."""

from __future__ import annotations

from mailstore.models import DiarySession

_Ended = DiarySession.Ended
# What connections and sessions say when they end (listener, pop3). Whatever is not here is the other side's doing.
_KINDS = {
    "quit": _Ended.QUIT.value,
    "idle": _Ended.IDLE.value,
    "barred": _Ended.BARRED.value,
    "shutdown": _Ended.SHUTDOWN.value,
    "failed": _Ended.FAILED.value,
    "body failed": _Ended.FAILED.value,
}


_LOST = _Ended.LOST.value


def kind(reason: str) -> str:
    return _KINDS.get(reason, _LOST)
