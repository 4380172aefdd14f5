"""From the statement of a flow to what simulators work with: node types, boundary values, targets, residuals."""

from ._boundary import boundary_types as boundary_types
from ._case import flow_case as flow_case
from ._flow import StatedFlow as StatedFlow
from ._flow import flow_of as flow_of
