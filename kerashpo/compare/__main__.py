"""``python -m kerashpo.compare``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from kerashpo.command_parser import pipe_may_close
from kerashpo.core.errors import KerashpoError
from kerashpo.core.requirements import packages_required
from kerashpo.quiet_import import only_errors


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    only_errors()
    try:
        with packages_required(), pipe_may_close():
            from kerashpo.compare.command import compare

            return compare(sys.argv[1:] if argv is None else list(argv))
    except KerashpoError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    raise SystemExit(main())
