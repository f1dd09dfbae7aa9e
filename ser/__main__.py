"""`python -m ser`, and the program `ser`."""

import sys

from ser.commands import main as run


def main() -> int:
    """Run the command in `sys.argv`; the exit code is 2 where the user can mend the cause."""
    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
