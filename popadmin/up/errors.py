"""What stops a start; each error is one line for the person at the shell."""


class UpError(Exception):
    """The start cannot go on. `str(error)` names the thing and what to do next."""
