"""The error that stops a start: one line for the user at the shell."""


class UpError(Exception):
    """The start cannot go on. `str(error)` names the thing and what to do next."""
