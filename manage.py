#!/usr/bin/env python3
"""The shell's way in; the same as the installed command `popadmin`."""

from popadmin.main import main

if __name__ == "__main__":
    main()
