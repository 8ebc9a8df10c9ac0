"""`python -m sadinet`."""

import sys

from sadinet.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
