"""`python -m portal` is the same as `portal`."""

import sys

from portal.command_line import main

sys.exit(main())
