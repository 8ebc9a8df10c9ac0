"""`python -m sadinet`."""

import sys

from sadinet.cli.main import main

if __name__ == "__main__":
    if getattr(sys, "frozen", False):
        # A packaged program starts itself again for each process of `run --jobs`.
        from multiprocessing import freeze_support

        freeze_support()
    sys.exit(main())
