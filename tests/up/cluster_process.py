"""A program that runs one private cluster until its standard input ends; prints the postmaster's pid when it is ready.

Run as another user and killed by the tests of the cluster. Arguments: the data folder, and the binaries' folder or "".
"""

import sys
from pathlib import Path

from popadmin.up.postgres import private_cluster

if __name__ == "__main__":
    programs = Path(sys.argv[2]) if sys.argv[2] else None
    with private_cluster(Path(sys.argv[1]), folder=programs) as cluster:
        sys.stdout.write(f"{cluster.pid}\n")
        sys.stdout.flush()
        sys.stdin.read()
