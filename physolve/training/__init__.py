"""What training needs whatever is trained: length and pace of a run, its files and record, its configuration file.

Importing this package imports Lightning, `import physolve` does not.
"""

from ._checks import check as check
from ._checks import check_settings as check_settings
from ._keeper import RECORD as RECORD
from ._keeper import WEIGHTS as WEIGHTS
from ._keeper import Keeper as Keeper
from ._keeper import Listener as Listener
from ._keeper import News as News
from ._module import RunModule as RunModule
from ._module import seed_of as seed_of
from ._quiet import quiet_lightning as quiet_lightning
from ._record import as_data as as_data
from ._record import hardware as hardware
from ._record import record_of as record_of
from ._record import write_record as write_record
from ._run import LAST as LAST
from ._run import fit as fit
from ._run import kept as kept
from ._run import run_folder as run_folder
from ._schedule import Clock as Clock
from ._schedule import Pace as Pace
from ._schedule import learning_rate as learning_rate
from ._schedule import moving_average as moving_average
from ._stream import EpochStream as EpochStream
from ._toml import changed as changed
from ._toml import read_toml as read_toml
