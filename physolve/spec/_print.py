"""Expressions to text, the inverse of `_grammar.py`: parse_expression(print_expression(e), names) == e.

Products are written so that reading from left to right, as Python and the grammar do, builds the same tree:
sympy turns 2*(x + y) into 2*x + 2*y, so a number never stands directly before or under a lone sum.
"""

from collections.abc import Sequence
from typing import Any

import sympy
from sympy.core.function import AppliedUndef
from sympy.core.relational import Relational

from ..errors import SpecificationError
from ._functions import SCALAR_FUNCTIONS
from ._tokens import WORDS

_OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(1, 10)
_SIGNS = {
    sympy.StrictLessThan: "<",
    sympy.LessThan: "<=",
    sympy.StrictGreaterThan: ">",
    sympy.GreaterThan: ">=",
    sympy.Equality: "==",
    sympy.Unequality: "!=",
}
_NAMES = {entry.function: name for name, entry in SCALAR_FUNCTIONS.items() if name != "sqrt"}


def print_expression(expression: Any) -> str:
    """Text that `parse_expression` turns back into `expression` (a sympy expression, relation or matrix).

    Unknowns are written by name. Raises SpecificationError for what the grammar has no words for.
    """
    return _write(expression, _OR)


def print_equation(equation: sympy.Eq) -> str:
    """Text that `parse_equation` turns back into the equation."""
    return f"{_write(equation.lhs, _SUM)} = {_write(equation.rhs, _SUM)}"


def print_number(value: float) -> str:
    """The shortest text that reads back as exactly this number; whole numbers below 1e15 without a point."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))


def _write(e: Any, outer: int) -> str:
    """The text of `e`, in parentheses where it binds more loosely than `outer`."""
    text, binding = _text(e)
    return text if binding >= outer else f"({text})"


def _text(e: Any) -> tuple[str, int]:
    if isinstance(e, sympy.MatrixBase):
        return _matrix(e), _ATOM
    if isinstance(e, sympy.Number):
        return _number(e)
    for kind, write in _WRITERS:
        if isinstance(e, kind):
            return write(e)
    if e.func in _NAMES:
        return _call(_NAMES[e.func], e.args), _ATOM
    raise SpecificationError(f"{type(e).__name__} cannot be written to a problem file: {str(e)[:60]}")


def _call(name: str, arguments: Sequence[Any]) -> str:
    return f"{name}({', '.join(_write(a, _OR) for a in arguments)})"


def _number(e: sympy.Number) -> tuple[str, int]:
    if not e.is_finite:
        raise SpecificationError(f"the value {e} cannot be written to a problem file; numbers must be finite")
    text = repr(float(e)) if e.is_Float else str(e)
    if e.is_Float and sympy.Float(float(e)) != e:
        raise SpecificationError(f"the value {e} cannot be written to a problem file; it is not a double")
    return text, _SIGN if e.is_negative else _PRODUCT if "/" in text else _ATOM


def _symbol(e: sympy.Symbol) -> tuple[str, int]:
    return check_name(e.name), _ATOM


def check_name(name: str) -> str:
    """The name itself; SpecificationError when it could not be read back."""
    if not name.isidentifier() or name in WORDS:
        raise SpecificationError(f"the name {name!r} cannot be written to a problem file; use letters, digits and _")
    return name


def _applied(e: AppliedUndef) -> tuple[str, int]:
    name = check_name(e.func.__name__)
    return (_call(name, e.args) if hasattr(e.func, "data") else name), _ATOM


def _derivative(e: sympy.Derivative) -> tuple[str, int]:
    directions = []
    for variable, count in e.variable_count:
        directions += [variable] if count == 1 else [variable, count]
    return _call("d", [e.expr, *directions]), _ATOM


def _add(e: sympy.Add) -> tuple[str, int]:
    text = ""
    for term in e.as_ordered_terms():
        positive, sign = _unsigned(term)
        signed = not text and sign == "-"
        piece = _product(positive, signed) if isinstance(positive, tuple) else _write(positive, _SUM + 1)
        text += (f" {sign} " if text else sign.replace("+", "")) + piece
    return text, _SUM


def _unsigned(term: sympy.Expr) -> tuple[Any, str]:
    """The term without its sign: (number, factors) for a product."""
    if term.is_Number:
        return (-term, "-") if term.is_negative else (term, "+")
    if term.is_Mul and _is_plain(term):
        number, factors = _split(term)
        return ((-number, factors), "-") if number.is_negative else ((number, factors), "+")
    return term, "+"


def _mul(e: sympy.Mul) -> tuple[str, int]:
    if not _is_plain(e):
        return _call("product", e.args), _ATOM
    number, factors = _split(e)
    if not number.is_negative:
        return _product((number, factors)), _PRODUCT
    return "-" + _product((-number, factors), signed=True), _SIGN


def _is_plain(e: sympy.Mul) -> bool:
    """Whether multiplying the factors gives this product again (not so for 2*(x + y) kept together)."""
    return sympy.Mul(*e.args) == e


def _split(e: sympy.Mul) -> tuple[sympy.Number, list[sympy.Expr]]:
    factors = list(e.args)
    number = factors.pop(0) if factors[0].is_Number else sympy.S.One
    return number, factors


def _product(parts: tuple[sympy.Number, list[sympy.Expr]], signed: bool = False) -> str:
    """number*a*b/(c*d), sums last; `signed`: a minus sign will stand before it."""
    number, factors = parts
    below = [_reciprocal(f) for f in factors if _is_reciprocal(f)]
    above = sorted((f for f in factors if not _is_reciprocal(f)), key=lambda f: f.is_Add)
    p, q = (number.p, number.q) if number.is_Rational else (None, 1)
    if q != 1 and any(f.is_Add for f in below):
        p, q = None, 1
    numerals = [] if p == 1 else [str(p) if p is not None else _number(number)[0]]
    body = [_write(f, _POWER) for f in above]
    under = ([str(q)] if q != 1 else []) + [_write(f, _POWER if len(below) > 1 or q != 1 else _ATOM) for f in below]
    if above and above[0].is_Add and (numerals or signed):
        return "*".join([*numerals, f"({_over(body, under)})"])
    return _over(numerals + body, under)


def _over(above: list[str], below: list[str]) -> str:
    text = "*".join(above) or "1"
    if not below:
        return text
    return f"{text}/{below[0]}" if len(below) == 1 else f"{text}/({'*'.join(below)})"


def _is_reciprocal(e: sympy.Expr) -> bool:
    return bool(e.is_Pow and (e.exp == sympy.Rational(-1, 2) or (e.exp.is_Integer and e.exp.is_negative)))


def _reciprocal(e: Any) -> sympy.Expr:
    return sympy.Pow(e.base, -e.exp)


def _pow(e: sympy.Pow) -> tuple[str, int]:
    if e.exp == sympy.S.Half:
        return _call("sqrt", [e.base]), _ATOM
    if _is_reciprocal(e):
        return f"1/{_write(_reciprocal(e), _POWER)}", _PRODUCT
    return f"{_write(e.base, _ATOM)}**{_write(e.exp, _ATOM)}", _POWER


def _heaviside(e: sympy.Heaviside) -> tuple[str, int]:
    arguments = e.args[:1] if e.args[1] == sympy.S.Half else e.args
    return _call("heaviside", arguments), _ATOM


def _cases(e: sympy.Piecewise) -> tuple[str, int]:
    arguments: list[Any] = []
    for value, condition in e.args:
        arguments += [value] if condition == sympy.true else [condition, value]
    if len(arguments) == 1:
        return _text(arguments[0])
    return _call("where", arguments), _ATOM


def _relation(e: Relational) -> tuple[str, int]:
    return f"{_write(e.lhs, _SUM)} {_SIGNS[type(e)]} {_write(e.rhs, _SUM)}", _COMPARE


def _junction(e: Any) -> tuple[str, int]:
    word, binding = ("and", _AND) if isinstance(e, sympy.And) else ("or", _OR)
    parts = sorted(e.args, key=sympy.default_sort_key)
    return f" {word} ".join(_write(a, binding + 1) for a in parts), binding


def _not(e: sympy.Not) -> tuple[str, int]:
    return f"not {_write(e.args[0], _NOT)}", _NOT


def _pi(e: Any) -> tuple[str, int]:
    return "pi", _ATOM


def _one(e: Any) -> tuple[str, int]:
    return "exp(1)", _ATOM


_WRITERS = (
    (sympy.Symbol, _symbol),
    (AppliedUndef, _applied),
    (sympy.Derivative, _derivative),
    (sympy.Add, _add),
    (sympy.Mul, _mul),
    (sympy.Pow, _pow),
    (sympy.Heaviside, _heaviside),
    (sympy.Piecewise, _cases),
    (Relational, _relation),
    (sympy.And | sympy.Or, _junction),
    (sympy.Not, _not),
    (type(sympy.pi), _pi),
    (type(sympy.E), _one),
)


def _matrix(e: sympy.MatrixBase) -> str:
    rows = [", ".join(_write(entry, _SUM) for entry in row) for row in e.tolist()]
    return f"[{', '.join(rows)}]" if e.cols == 1 else f"[{', '.join(f'[{row}]' for row in rows)}]"
