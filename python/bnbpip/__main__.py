"""``python -m bnbpip``: the program, with this Python as its target unless another is named."""

import os
import subprocess
import sys

from ._find import find_bnbpip


def main():
    try:
        program = find_bnbpip()
    except FileNotFoundError as error:
        sys.exit("ERROR: Failed to find the program of the package bnbpip: %s" % error)
    environment = dict(os.environ)
    environment.setdefault("BNBPIP_PYTHON", sys.executable)
    arguments = [program] + sys.argv[1:]
    if os.name != "nt":
        os.execve(program, arguments, environment)
    # Windows starts a second process in place of `exec`, and nobody would wait for it.
    try:
        sys.exit(subprocess.run(arguments, env=environment).returncode)
    except KeyboardInterrupt:
        sys.exit(2)


main()
