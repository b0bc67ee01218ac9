"""`python -m rules.engine check|test|mutate|explain …`."""

import sys

from .command_line import main

if __name__ == "__main__":
    sys.exit(main())
