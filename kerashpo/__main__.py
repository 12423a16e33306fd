"""`python -m kerashpo`: the command ``kerashpo`` where scripts of packages are not on the path."""

from kerashpo.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
