"""Rollouts of learned simulators: step by step to disk, judged against the truth where there is one."""

from ._errors import RolloutErrors as RolloutErrors
from ._rolled import rolled as rolled
