"""``python -m kerashpo.compare``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from kerashpo.command_parser import pipe_may_close, print_error
from kerashpo.core.errors import KerashpoError
from kerashpo.core.requirements import packages_required
from kerashpo.quiet_import import only_errors


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    only_errors()
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        with packages_required(), pipe_may_close():
            from kerashpo.compare.command import compare

            return compare(words)
    except KerashpoError as error:
        print_error(error, words)
        return 2


if __name__ == "__main__":
    raise SystemExit(main())
