"""`python -m physolve.cli` is `physolve`."""

import sys

from ._app import main

sys.exit(main())
