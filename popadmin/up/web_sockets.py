"""Listens on WEB_LISTEN as the other listeners do, then becomes the web server, which inherits the sockets.

gunicorn itself cannot listen on `[::]` and `0.0.0.0` at once: its socket for `[::]` takes the IPv4 addresses too.
"""

from __future__ import annotations

import os
import sys

from django.core.exceptions import ImproperlyConfigured

from mailstore.listener.sockets import listening

UNIX_SOCKET_MODE = 0o777  # like gunicorn: everybody who may enter the folder may ask for pages


def main() -> None:
    """`python -m popadmin.up.web_sockets ADDRESS,ADDRESS COMMAND...`: COMMAND gets `--bind=fd://N` for each socket."""
    addresses, *command = sys.argv[1:]
    try:
        descriptors = listen(addresses.split(","))
    except ImproperlyConfigured as error:
        sys.exit(f"popadmin: {error}")
    binds = (f"--bind=fd://{descriptor}" for descriptor in descriptors)
    os.execv(command[0], [*command, *binds])  # noqa: S606 - `up` wrote the command, and no shell reads it


def listen(addresses: list[str]) -> list[int]:
    """Listen on each address; return the descriptors, which the next program inherits."""
    found = [each for address in addresses for each in listening("WEB_LISTEN", address, 1, unix_mode=UNIX_SOCKET_MODE)]
    descriptors = [sock.detach() for (sock,) in found]
    for descriptor in descriptors:
        os.set_inheritable(descriptor, True)
    return descriptors


if __name__ == "__main__":
    main()
