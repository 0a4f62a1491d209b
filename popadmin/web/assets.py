"""The static files of the pages: how they are named and served."""

from __future__ import annotations

from pathlib import Path

from django.contrib.staticfiles.storage import StaticFilesStorage
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.storage import CompressedManifestStaticFilesStorage


class Assets(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise has no types
    """Names with a digest, which browsers cache for ever, once `collectstatic` has run, as in the image.

    Before that, as in a checkout, the names stay as they are in `static/`. So nothing needs to run before the first
    start, and an edit shows after a restart.
    """

    def url(self, name: str | None, force: bool = False) -> str:
        return str(super().url(name, force) if self.hashed_files else StaticFilesStorage.url(self, name))


class Serve(WhiteNoiseMiddleware):  # type: ignore[misc]  # whitenoise has no types
    """Serve the collected files, and `static/` itself. It is no error if nothing was collected."""

    def add_files(self, root: str | Path, prefix: str | None = None) -> None:
        if Path(root).is_dir():
            super().add_files(root, prefix)
