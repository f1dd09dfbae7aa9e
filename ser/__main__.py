"""Entry point of `python -m ser` and of the command `ser`."""

import sys

from ser.commands import main as run


def main() -> int:
    """Run the command in `sys.argv`; the exit code is 2 for an error that the user can fix."""
    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
