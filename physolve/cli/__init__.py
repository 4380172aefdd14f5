"""The command line: `physolve solve | check | compare | view | doctor | hypino | mesh | air`, one small module each."""

from ._app import app as app
from ._app import main as main
