"""The solution of a problem: a field that can be evaluated, differentiated, judged, saved and drawn."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy
import torch
from jaxtyping import Float
from numpy import ndarray
from sympy.core.function import AppliedUndef
from sympy.matrices import MatrixBase

from physolve._typing import PointArray
from physolve.errors import SpecificationError, UnsupportedError
from physolve.nets import Field
from physolve.residual import Frame, lower
from physolve.spec import Problem, d, grad, grid_data_of, normal
from physolve.spec.geometry import quadrature

from ._bound import Bound, bound_of
from ._outcome import Cost, Estimate, History, Outcome

if TYPE_CHECKING:
    from physolve.io import MeshField

INTEGRATION_POINTS = 16_384


@dataclass(frozen=True, eq=False)
class GridField:
    """Values on a regular grid: `axes[k]` are the coordinates along axis k, `values` (*shape, components)
    with NaN outside the domain."""

    axes: tuple[ndarray, ...]
    values: ndarray

    @property
    def points(self) -> PointArray:
        """The grid's points (n, dim), last axis fastest."""
        return np.stack(np.meshgrid(*self.axes, indexing="ij"), -1).reshape(-1, len(self.axes))


@dataclass(frozen=True, eq=False)
class BoundaryField:
    """Values (n, components) at points (n, dim) of a boundary part, with normals and quadrature weights."""

    points: PointArray
    normals: PointArray
    weights: ndarray
    values: ndarray


@dataclass(frozen=True, eq=False)
class Solution:
    """What `solve` returns. Call it with points (n, dim) to get the unknowns (n, components), float64.

    `field` answers with torch tensors; everything else speaks numpy. `estimate` is the estimated error,
    `outcome` and `message` how the solve ended, `method` which rung produced it, `cost` what it took,
    `parameters` the values found for unknown parameters, `deviations` their standard deviations from noise in
    the data, `valid_until` the time after which there is no solution and its values are NaN (None: it is valid at all
    times).
    """

    problem: Problem
    field: Field
    outcome: Outcome
    message: str
    estimate: Estimate | None
    method: str
    cost: Cost = dataclass_field(default_factory=Cost)
    parameters: Mapping[str, float] = dataclass_field(default_factory=dict)
    history: History = dataclass_field(default_factory=History)
    deviations: Mapping[str, float] = dataclass_field(default_factory=dict)
    valid_until: float | None = None

    @cached_property
    def bound(self) -> Bound | None:
        """Bound of the largest error anywhere, in units of u; `estimate` is measured, and of the root mean square.

        From the maximum principle, for one linear elliptic or parabolic equation of second order with all values given
        on the boundary; None for any other problem. Computed when first asked for, and therefore not part of the repr.
        """
        return bound_of(self.problem, self.field)

    def __call__(self, points: Float[ndarray, "n dim"]) -> Float[ndarray, "n components"]:
        """The unknowns at points, time last; NaN outside the domain.

        Raises SpecificationError for points of the wrong shape.
        """
        points = self._checked(points)
        return self._masked(points, self.field.values(torch.from_numpy(points)).numpy())

    def evaluate(self, expression: Any, points: Float[ndarray, "n dim"]) -> ndarray:
        """Values (n,) of any expression in the unknowns, their derivatives, coordinates and unknown
        parameters; (n, rows * columns) for a vector or matrix. NaN outside the domain.

        Raises SpecificationError for a symbol or function that the problem does not know.
        """
        points = self._checked(points)
        if isinstance(expression, MatrixBase):
            return np.stack([self.evaluate(entry, points) for entry in expression], 1)
        return self._masked(points, self._value(expression, points))

    def derivative(self, u: Any, *coordinates: sympy.Symbol) -> Callable[[Float[ndarray, "n dim"]], ndarray]:
        """d(u, x, y, ...) as a function of points."""
        return lambda points: self.evaluate(d(u, *coordinates), points)

    def on_grid(self, shape: int | Sequence[int] = 101) -> GridField:
        """Values on a regular grid over the bounding box; one number stands for all axes."""
        low, high = self.problem.domain.bounds
        counts = [shape] * len(low) if isinstance(shape, int) else list(shape)
        if len(counts) != len(low):
            raise SpecificationError(f"on_grid: expected {len(low)} numbers of points, got {tuple(counts)}")
        axes = tuple(np.linspace(a, b, n) for a, b, n in zip(low, high, counts, strict=True))
        points = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, len(axes))
        return GridField(axes, self(points).reshape(*counts, -1))

    def on_mesh(self, mesh: "MeshField | None" = None, resolution: int | None = None) -> "MeshField":
        """The unknowns at the points of a mesh (vectors as columns); without one, of a mesh of the domain."""
        from physolve.io import MeshField, domain_mesh

        mesh = mesh or domain_mesh(self.problem.domain, resolution)
        inside = self.field.values(torch.from_numpy(np.ascontiguousarray(mesh.points))).numpy()
        outside = self.problem.domain.signed_distance(mesh.points) > 1e-3 * self.problem.domain.size
        inside[outside] = np.nan
        return MeshField(mesh.points, dict(mesh.cells), dict(mesh.point_data) | self._columns(inside))

    def on_boundary(self, part: Any = None, n: int = 200) -> BoundaryField:
        """The unknowns at n points of a boundary part (None: the whole boundary)."""
        samples = self.problem.domain.sample_boundary(n, on=part, method="grid")
        assert samples.normals is not None
        values = self.field.values(torch.tensor(samples.points)).numpy()
        return BoundaryField(samples.points, samples.normals, samples.weights, values)

    def integral(self, expression: Any, on: Any = None, n: int = INTEGRATION_POINTS) -> float:
        """Integral of an expression over the domain, or over a boundary part `on` (with n_x, n_y if wanted).

        About n points, more where the domain's form asks for them: many digits of smooth integrands on smooth
        boundaries and inside primitive and plane domains, about five inside what is joined in space, elsewhere three.
        """
        domain = self.problem.domain
        if on is None:
            samples, normals = quadrature(domain, n), None
        else:
            samples = domain.sample_boundary(n, on=on, method="grid" if domain.dim < 3 else "sobol")
            normals = samples.normals
        return float(samples.weights @ self._value(expression, samples.points, normals))

    def flux(self, u: Any, on: Any = "boundary", n: int = INTEGRATION_POINTS) -> float:
        """Integral of n . grad(u) over a boundary part; of n . u if u is a vector expression."""
        vector = u if isinstance(u, MatrixBase) else grad(u)
        outward = sympy.Add(*(a * b for a, b in zip(normal(*self.problem.coordinates), vector, strict=True)))
        return self.integral(outward, on, n)

    def residual(self, points: Float[ndarray, "n dim"]) -> Float[ndarray, "n equations"]:
        """lhs - rhs of every equation at points; NaN outside the domain."""
        points = self._checked(points)
        columns = [self._value(expression, points) for expression in self.problem.residuals]
        return self._masked(points, np.stack(columns, 1))

    def save(self, path: str | PathLike[str], resolution: int | None = None) -> None:
        """Write to a file: `.safetensors` keeps everything (read it with `Solution.load`), the mesh formats
        (`.vtu .xdmf .h5 .npz .csv`) the unknowns on a mesh of the domain.

        Raises UnsupportedError for another suffix, ProblemFileError for a path that cannot be written.
        """
        from physolve.io import SUFFIXES, save_mesh_field

        from ._saving import write_solution

        suffix = Path(path).suffix.lower()
        if suffix == ".safetensors":
            write_solution(path, self)
        elif suffix not in SUFFIXES:
            got = f"suffix '{suffix}' is not one of a solution" if suffix else "has no suffix"
            raise UnsupportedError(f"{path}: file: {got}; use one of .safetensors, {', '.join(SUFFIXES)}")
        else:
            save_mesh_field(path, self.on_mesh(resolution=resolution))

    @staticmethod
    def load(path: str | PathLike[str]) -> "Solution":
        """The solution that `save` wrote to a `.safetensors` file."""
        from ._saving import read_solution

        return read_solution(path)

    def plot(self, path: str | PathLike[str], **options: Any) -> None:
        """Draw to a file; see `physolve.view.plot` for the options."""
        # Here, as in `_saving`, a lower room calls a higher one: a solution that can draw itself is worth it.
        from physolve.view import plot

        plot(self, path, **options)

    def __repr__(self) -> str:
        estimate = f"{self.estimate.relative:.1e}" if self.estimate else "unknown"
        names = ", ".join(str(u.func) for u in self.problem.unknowns)
        found = "".join(f", {name}={value:.6g}" for name, value in self.parameters.items())
        return (
            f"Solution({names}; {self.outcome.name.lower()}, estimated relative error {estimate}{found}; "
            f"{self.method}, {self.cost.features} features, {self.cost.seconds:.1f} s)"
        )

    def _value(self, expression: Any, points: PointArray, normals: PointArray | None = None) -> ndarray:
        problem = self.problem
        frame = Frame(problem.coordinates, problem.unknowns, problem.parameters)
        form = lower("expression", sympy.sympify(expression), frame)
        known = {*frame.coordinates, *frame.parameters, *form.placeholders}
        _refuse_strangers(form.expression, known if normals is None else known | {*frame.normals}, problem)
        x = torch.from_numpy(np.ascontiguousarray(points))
        n = None if normals is None else torch.from_numpy(np.ascontiguousarray(normals))
        thetas = [self.parameters[p.name] for p in problem.parameters]
        return form.residual(x, n, self.field.derivatives(x, form.atoms), thetas).numpy()

    def _checked(self, points: Any) -> PointArray:
        try:
            points = np.atleast_2d(np.asarray(points, dtype=np.float64))
        except (TypeError, ValueError):
            raise SpecificationError(f"points: expected an array of numbers, got {points!r}") from None
        dim = self.problem.domain.dim
        if points.ndim != 2 or points.shape[1] != dim:
            names = ", ".join(str(c) for c in self.problem.coordinates)
            raise SpecificationError(f"points: expected shape (n, {dim}) for ({names}), got {points.shape}")
        return points

    def _masked(self, points: PointArray, values: ndarray) -> ndarray:
        values = np.array(values, dtype=np.float64)
        values[~self.problem.domain.contains(points, tolerance=1e-9 * self.problem.domain.size)] = np.nan
        return values

    def _columns(self, values: Float[ndarray, "n components"]) -> dict[str, ndarray]:
        """Columns by unknown; the components of a vector together."""
        vectors = dict(self.problem.groups)
        inside = {i for indices in vectors.values() for i in indices}
        scalars = {str(u.func): values[:, i] for i, u in enumerate(self.problem.unknowns) if i not in inside}
        return {name: values[:, list(indices)] for name, indices in vectors.items()} | scalars


def _refuse_strangers(expression: sympy.Expr, known: set[sympy.Symbol], problem: Problem) -> None:
    functions = {f for f in expression.atoms(AppliedUndef) if not grid_data_of(f)}
    strangers = [*sorted(map(str, functions)), *sorted(map(str, expression.free_symbols - known))]
    if strangers:
        names = ", ".join(map(str, (*problem.coordinates, *problem.unknowns, *problem.parameters)))
        raise SpecificationError(f"expression: '{strangers[0]}' is none of this problem's {names}")
