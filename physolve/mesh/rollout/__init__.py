"""Rollouts of learned simulators: step by step to disk, judged against the truth where there is one."""

from ._case import Case as Case
from ._case import stored_case as stored_case
from ._errors import RolloutErrors as RolloutErrors
from ._forces import Forces as Forces
from ._forces import surface_shares as surface_shares
from ._judge import Judge as Judge
from ._rolled import rolled as rolled
from ._run import Rollout as Rollout
from ._run import RolloutOutcome as RolloutOutcome
from ._run import run_rollout as run_rollout
from ._snapshots import Snapshots as Snapshots
