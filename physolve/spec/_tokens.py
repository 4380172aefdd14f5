"""Cuts the text of an expression or of a shape into tokens; refuses what is too long or not a number.

The grammar knows numbers, names, strings (file names of shapes only) and the symbols below; there is no attribute
access, no indexing and no assignment, so that there is nothing in a problem file that could be executed.
"""

import math
import re
from dataclasses import dataclass

from ..errors import SpecificationError

MAX_CHARACTERS = 10_000
MAX_DEPTH = 100
WORDS = frozenset({"and", "or", "not", "pi"})  # what cannot be a name

_PATTERN = re.compile(
    r"""(?P<space>\s+)
    |(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<name>[^\W0-9]\w*)
    |(?P<string>"[^"\n]*"|'[^'\n]*')
    |(?P<symbol>\*\*|<=|>=|==|!=|[-+*/^<>=()\[\],|&])""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Token:
    """One piece of text: `kind` is "number", "name", "string", "symbol" or "end", `at` its index."""

    kind: str
    text: str
    at: int

    def __str__(self) -> str:
        return "the end" if self.kind == "end" else f"'{shorten(self.text)}'"


def shorten(text: str, limit: int = 40) -> str:
    """The text on one line of printable characters, cut to `limit` characters."""
    flat = " ".join(text.split())
    flat = "".join(c if c.isprintable() else "?" for c in flat)
    return flat if len(flat) <= limit else flat[: limit - 3] + "..."


def place(text: str, at: int) -> str:
    """Where index `at` lies for a human reader: "column 7", with the line when there is more than one."""
    line = text.count("\n", 0, at)
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    return f"line {line + 1}, column {column}" if "\n" in text.strip() else f"column {column}"


def fail(text: str, at: int, message: str) -> SpecificationError:
    """The error of a text that cannot be understood, to be raised by the caller."""
    return SpecificationError(f"{place(text, at)}: {message}")


def tokenize(text: str) -> list[Token]:
    """The tokens of `text`, the last of kind "end". Raises SpecificationError with the position."""
    if not isinstance(text, str):
        raise SpecificationError(f"expected text, got {type(text).__name__}")
    if len(text) > MAX_CHARACTERS:
        raise SpecificationError(
            f"the text has {len(text):,} characters; at most {MAX_CHARACTERS:,} are read; split it over [expressions]"
        )
    if not text.strip():
        raise SpecificationError("the text is empty; expected an expression")
    tokens, at = [], 0
    while at < len(text):
        match = _PATTERN.match(text, at)
        if match is None:
            raise fail(text, at, _unexpected(text, at))
        if match.lastgroup != "space":
            tokens.append(Token(str(match.lastgroup), match.group(), at))
        at = match.end()
    return [*tokens, Token("end", "", len(text))]


def number(text: str, token: Token) -> int | float:
    """The value of a number token: int if written without point and exponent, else the nearest float."""
    value = float(token.text)
    if math.isinf(value):
        raise fail(text, token.at, f"the number {token} is too large; numbers go up to 1.8e308")
    if value == 0 and re.search("[1-9]", re.split("[eE]", token.text)[0]):
        raise fail(text, token.at, f"the number {token} is too small; it would be read as 0")
    return int(token.text) if token.text.isdigit() else value


_HINTS = {
    "\u2212": "write '-'",
    "\u2264": "write '<='",
    "\u2265": "write '>='",
    "\u00b7": "write '*'",
    "\u00d7": "write '*'",
    "\u00b2": "write '**2'",
    "\u2207": "write grad(u), div(v) or curl(v)",
    "\u0394": "write laplacian(u)",
    "\u2206": "write laplacian(u)",
    "\u2202": "write d(u, x)",
    ".": "attributes do not exist here; write functions such as d(u, x)",
    "%": "there is no remainder here",
    "@": "write dot(a, b)",
    "!": "write 'not'",
    "{": "write '[' and ']' for vectors, '(' and ')' for grouping",
    ":": "write where(condition, value, otherwise) for cases",
    "'": "names are written without quotes",
    '"': "names are written without quotes",
}


def _unexpected(text: str, at: int) -> str:
    hint = _HINTS.get(text[at])
    return f"unexpected character '{shorten(text[at]) or '?'}'" + (f"; {hint}" if hint else "")
