"""`python -m mlops`."""

import sys

from mlops.command_line import main

sys.exit(main())
