"""``python -m neutone_like`` is ``neutone-like``."""

from neutone_like.cli import main

if __name__ == "__main__":
    main()
