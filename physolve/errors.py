"""The few exception types of physolve; every message names the item, what was got, what was expected, what to do."""


class PhysolveError(Exception):
    """Base of everything physolve raises on purpose."""


class SpecificationError(PhysolveError, ValueError):
    """A problem, geometry or condition that does not fit together."""


class ProblemFileError(SpecificationError):
    """A problem file that cannot be understood; the message starts with the file and the item."""


class UnsupportedError(PhysolveError):
    """Something well stated that this package does not do; the message gives the reason."""


class NumericalError(PhysolveError):
    """A computation failed; the message lists the likely causes."""


class WellPosednessWarning(UserWarning):
    """A problem that is probably missing a condition; the message says which."""
