"""``python -m cavitydesign``."""

from cavitydesign.cli import main

if __name__ == "__main__":
    main()
