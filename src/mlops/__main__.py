"""`python -m mlops`."""

import sys

from mlops.cli.main import main

sys.exit(main())
