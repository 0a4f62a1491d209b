"""A supervisor over two tiny services, for the tests of starting, crashing and stopping; no Postgres, no mail.

Each service writes what happens to it to the file `events`. Arguments: the folder, a port for each service.
"""

import sys
from pathlib import Path

from popadmin.up import lock
from popadmin.up.child_processes import Service
from popadmin.up.endpoints import Endpoint
from popadmin.up.errors import UpError
from popadmin.up.supervisor import Supervisor

SERVICE = """
import os, signal, socket, sys
name, port, events, manner = sys.argv[1:]

def tell(what):
    with open(events, "a") as stream:
        stream.write(f"{name} {what} {os.getpid()}\\n")

def end(number, frame):
    tell("asked")
    if manner == "stubborn":
        return
    tell("ended")
    os._exit(0)

signal.signal(signal.SIGTERM, end)
if manner == "broken":
    sys.exit(3)
listener = socket.create_server(("127.0.0.1", int(port)))
tell("started")
while True:
    listener.accept()[0].close()
"""


def service(name: str, port: str, stage: int, folder: Path, manner: str) -> Service:
    command = (sys.executable, "-c", SERVICE, name, port, str(folder / "events"), manner)
    return Service(name, command, stage, (Endpoint(f"{name.upper()}_LISTEN", f"127.0.0.1:{port}"),))


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def run(folder: Path, ports: list[str], manner: str) -> None:
    services = (service("last", ports[1], 2, folder, "plain"), service("first", ports[0], 1, folder, manner))
    supervisor = Supervisor(services, cluster=None, data_dir=folder, say=say)
    with lock.hold(folder), supervisor.running():
        with supervisor.signals.interruptible():
            supervisor.start_children()
        say("ready")
        supervisor.watch()


if __name__ == "__main__":
    try:
        run(Path(sys.argv[1]), sys.argv[2:4], sys.argv[4])
    except UpError as error:
        say(str(error))
        sys.exit(1)
