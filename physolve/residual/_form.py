"""Forms: a scalar equation lowered to an expression in coordinates, normals, parameters and derivative atoms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import sympy
import torch
from jaxtyping import Float
from sympy.core.function import AppliedUndef
from torch import Tensor

from physolve._typing import Column, Points
from physolve.errors import UnsupportedError
from physolve.nets import JetAtom
from physolve.spec import Program, normal


@dataclass(frozen=True)
class Frame:
    """What the expressions of one problem may speak of: its coordinates, unknowns and unknown parameters."""

    coordinates: tuple[sympy.Symbol, ...]
    unknowns: tuple[AppliedUndef, ...]
    parameters: tuple[sympy.Symbol, ...] = ()

    @cached_property
    def normals(self) -> tuple[sympy.Symbol, ...]:
        return normal(*self.coordinates)


@dataclass(frozen=True)
class Linearization:
    """A residual r near a state: r(v) = value + sum_a slopes[a] (D^a v - D^a state) + sum_k parameter_slopes[k]
    (theta_k - state_k), every entry of length n."""

    value: Column
    slopes: dict[JetAtom, Column]
    parameter_slopes: tuple[Column, ...]


@dataclass(frozen=True, eq=False)
class Form:
    """F(x, n, theta, atoms) = 0 with its Gateaux derivative, both exact from sympy."""

    name: str
    frame: Frame
    expression: sympy.Expr
    atoms: tuple[JetAtom, ...]
    placeholders: tuple[sympy.Symbol, ...]

    @cached_property
    def slopes(self) -> tuple[sympy.Expr, ...]:
        """dF / d atom: the coefficients of the linearised operator."""
        return tuple(_derivative(self.expression, symbol) for symbol in self.placeholders)

    @cached_property
    def parameter_slopes(self) -> tuple[sympy.Expr, ...]:
        """dF / d theta."""
        return tuple(_derivative(self.expression, theta) for theta in self.frame.parameters)

    @property
    def linear(self) -> bool:
        """Linear in unknowns and unknown parameters together."""
        state = {*self.placeholders, *self.frame.parameters}
        return not any(slope.free_symbols & state for slope in (*self.slopes, *self.parameter_slopes))

    @property
    def order(self) -> int:
        """Highest derivative."""
        return max((sum(atom.orders) for atom in self.atoms), default=0)

    @cached_property
    def _arguments(self) -> tuple[sympy.Symbol, ...]:
        return (*self.frame.coordinates, *self.frame.normals, *self.frame.parameters, *self.placeholders)

    @cached_property
    def _value_program(self) -> Program:
        return Program((self.expression,), self._arguments)

    @cached_property
    def _full_program(self) -> Program:
        return Program((self.expression, *self.slopes, *self.parameter_slopes), self._arguments)

    def residual(
        self,
        points: Points,
        normals: Points | None,
        state: Mapping[JetAtom, Column],
        parameters: Sequence[float | Tensor] = (),
    ) -> Column:
        """F at the points for given values of the atoms; differentiable in `state` and `parameters`."""
        return self._value_program(*self._columns(points, normals, state, parameters))[0]

    def linearize(
        self,
        points: Points,
        normals: Points | None,
        state: Mapping[JetAtom, Column],
        parameters: Sequence[float | Tensor] = (),
    ) -> Linearization:
        """Value and Gateaux derivative of F at the state."""
        value, *slopes = self._full_program(*self._columns(points, normals, state, parameters))
        split = len(self.atoms)
        return Linearization(value, dict(zip(self.atoms, slopes[:split], strict=True)), tuple(slopes[split:]))

    def _columns(
        self,
        points: Points,
        normals: Points | None,
        state: Mapping[JetAtom, Column],
        parameters: Sequence[float | Tensor],
    ) -> list[Float[Tensor, " n"]]:
        normals = torch.zeros_like(points) if normals is None else normals
        thetas = [torch.as_tensor(p, dtype=points.dtype).expand(len(points)) for p in parameters]
        return [
            *points.unbind(1),
            *normals.unbind(1)[: len(self.frame.normals)],
            *thetas,
            *(state[atom] for atom in self.atoms),
        ]


def _derivative(expression: sympy.Expr, symbol: sympy.Symbol) -> sympy.Expr:
    """d expression / d symbol; linear terms, which most are, ten times as fast as by sympy's own."""
    if expression == symbol:
        return sympy.S.One
    if not expression.has_free(symbol):
        return sympy.S.Zero
    if expression.is_Add:
        return sympy.Add(*(_derivative(term, symbol) for term in expression.args))
    if expression.is_Mul:
        others = [factor for factor in expression.args if not factor.has_free(symbol)]
        if len(others) == len(expression.args) - 1 and symbol in expression.args:
            return sympy.Mul(*others)
    return sympy.diff(expression, symbol)


def lower(name: str, expression: sympy.Expr, frame: Frame) -> Form:
    """Replace every derivative of an unknown by a placeholder symbol.

    `name` names the equation or condition in messages. Raises UnsupportedError where an unknown is evaluated
    somewhere else than at the coordinates (delay terms and the like).
    """
    expression = sympy.sympify(expression)
    if not all(isinstance(node.expr, AppliedUndef) for node in expression.atoms(sympy.Derivative)):
        expression = expression.doit()  # of products and the like; of single functions it takes long and does nothing
    symbols: dict[JetAtom, sympy.Symbol] = {}
    # Derivatives first: the unknown inside one is not an atom of its own.
    for kind in (sympy.Derivative, AppliedUndef):
        found = {node: _atom(name, node, frame) for node in sorted(expression.atoms(kind), key=sympy.default_sort_key)}
        for atom in filter(None, found.values()):
            symbols.setdefault(atom, sympy.Symbol(f"_a{len(symbols)}", real=True))
        expression = expression.xreplace({node: symbols[atom] for node, atom in found.items() if atom is not None})
    atoms = tuple(sorted(symbols))
    return Form(name, frame, expression.doit(), atoms, tuple(symbols[atom] for atom in atoms))


def _atom(name: str, node: sympy.Expr, frame: Frame) -> JetAtom | None:
    """The atom a node stands for; None for derivatives and values of data functions."""
    base = node.expr if isinstance(node, sympy.Derivative) else node
    names = {u.func: i for i, u in enumerate(frame.unknowns)}
    if not isinstance(base, AppliedUndef) or base.func not in names:
        return None
    unknown = names[base.func]
    if base != frame.unknowns[unknown]:
        raise UnsupportedError(
            f"{name}: '{base}' evaluates the unknown away from the point {frame.coordinates}; "
            "delays and shifted arguments are not supported"
        )
    counts = dict(node.variable_count) if isinstance(node, sympy.Derivative) else {}
    return JetAtom(unknown, tuple(int(counts.get(c, 0)) for c in frame.coordinates))
