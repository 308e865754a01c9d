"""`python -m edgecore.cli` is the command `edgecore`."""

import sys

from edgecore.cli import main

sys.exit(main())
