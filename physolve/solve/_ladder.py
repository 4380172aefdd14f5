"""Least squares on random features, climbed until the error estimate meets the tolerance."""

import math
from dataclasses import dataclass, field, replace

from physolve.errors import SpecificationError
from physolve.nets import Field
from physolve.spec import Problem

from ._climb import Climb
from ._method import MethodResult
from ._newton import Newton
from ._outcome import Listener, Outcome
from ._source import FunctionSource
from ._stretching import stretchable
from ._tries import Tries, best_of


@dataclass(frozen=True)
class LeastSquares:
    """Rung 4 of the ladder: random tanh features with corner and hole functions, float64 least squares.

    first, growth, largest  features on the first rung, the factor to the next, and the most columns of the matrix
                            (features times unknowns)
    scales                  slopes (per half width of the domain) tried on the first rung; the best residual wins
    oversampling            rows of every equation per feature
    refine                  share of the points drawn near corners and holes
    slabs                   intervals into which time is cut, solved one after the other; stretched ones may be halved
    stretched               whether the space coordinate (of a problem on an interval and time, in slabs) is stretched
                            where the solution is steep, and follows it
    focused                 whether features and points gather where the residual of a stalled climb is concentrated
    give_up                 estimated relative error above which a stalled climb is not continued
    patient                 whether the first rung is finished even where the budget is spent before its end
    newton                  the iteration for nonlinear problems and unknown parameters
    source                  of functions made for the problem (a hypernetwork), with which a linear problem on its whole
                            domain begins: the first rungs have these and no random features, the later ones both
    """

    first: int = 120
    growth: float = 1.7
    largest: int = 4800
    scales: tuple[float, ...] = (1.5, 3.0, 6.0, 12.0)
    oversampling: float = 2.0
    refine: float = 0.2
    slabs: int = 1
    stretched: bool = False
    focused: bool = True
    give_up: float = math.inf
    patient: bool = True
    ridge: float = 1e-15
    newton: Newton = field(default_factory=Newton)
    source: FunctionSource | None = None

    @property
    def name(self) -> str:
        """How solutions name their origin."""
        name = "least squares on random features"
        if self.source is not None:
            name = f"least squares on functions of {self.source.name}, then random features"
        if self.stretched:
            return f"{name} of a stretched coordinate in time slabs"
        return f"{name} in {self.slabs} time slabs" if self.slabs > 1 else name

    def run(
        self,
        problem: Problem,
        tol: float,
        seed: int = 0,
        budget_s: float | None = None,
        progress: Listener | None = None,
        start: Field | None = None,
    ) -> MethodResult:
        """Climb; `start` is a field near the solution, if one is known (a hypernetwork's, say).

        Raises SpecificationError for time slabs of a problem with unknown parameters, and for stretching where there
        is no single coordinate in space or no slabs; NumericalError where there is no first solution, as where the
        budget was spent before and that is not waited for.
        """
        if self.stretched and (self.slabs == 1 or not stretchable(problem)):
            raise SpecificationError(
                "LeastSquares: stretched=True needs a problem on an interval and time, and slabs > 1 in which the "
                "coordinate can follow; use stretched=False"
            )
        if self.slabs > 1 and problem.parameters:
            raise SpecificationError(
                f"LeastSquares: {self.slabs} time slabs cannot find parameters common to all times; use slabs=1"
            )
        tries = Tries[MethodResult](budget_s)
        tries.attempt(lambda left: self._climbed(problem, tol, seed, left, progress, start))
        if self.source is not None and tries.found[0].outcome is Outcome.TOLERANCE_NOT_REACHED:
            # The functions made for the problem were not worth it: the climb begins anew without them.
            alone = replace(self, source=None)
            tries.attempt(lambda left: alone._climbed(problem, tol, seed, left, progress, start))
        return best_of(tries)

    def _climbed(
        self,
        problem: Problem,
        tol: float,
        seed: int,
        budget_s: float | None,
        progress: Listener | None,
        start: Field | None,
    ) -> MethodResult:
        climb = Climb(self, problem, tol, seed, budget_s, progress, start)
        try:
            return climb.run()
        except KeyboardInterrupt:
            if climb.best is None:
                raise
            return climb.result(Outcome.INTERRUPTED)
