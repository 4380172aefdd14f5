"""The mesh of a grid in an XDMF file, where it stands there or where the grid refers to it.

Two ways to refer: `xi:include` with an XPointer, which FEniCS and meshio write, and the attribute `Reference` of an
element or its numbers, of XDMF itself. Of XPath what is in use is read: absolute paths with `/` and `//`, positions,
attributes, and `self::` with names.
"""

import re
from copy import copy
from pathlib import Path
from xml.etree.ElementTree import Element

from physolve.errors import ProblemFileError

MESH = ("Topology", "Geometry")
NESTED = 10
"""References to references that are followed: more lead round in a circle."""

_POINTER = re.compile(r"\s*xpointer\((.*)\)\s*", re.DOTALL)
_STEP = re.compile(r"(//?)(\*|[\w.-]+)((?:\[[^\]]*\])*)")
_PREDICATE = re.compile(r"\[([^\]]*)\]")
_ATTRIBUTE = re.compile(r"\s*@(\w+)\s*=\s*(['\"])(.*)\2\s*")
_NAMES = re.compile(r"\s*self::\w+(\s+or\s+self::\w+)*\s*")


def mesh_of(file: Path, domain: Element, grid: Element) -> Element:
    """A grid of the Topology and the Geometry that a grid has, or else of those that it refers to; without what is
    neither there nor referred to.

    Raises ProblemFileError for a reference to another file, to nothing, to several meshes, and one not understood.
    """
    root = Element("")
    root.append(Element("Xdmf"))
    root[0].append(domain)
    mesh = Element("Grid")
    for tag in MESH:
        parts = grid.findall(tag) or [part for part in _included(file, root, grid) if part.tag == tag]
        followed = [_followed(file, root, part) for part in parts]
        if len({part.findtext("DataItem") for part in followed}) > 1:
            raise ProblemFileError(
                f"{file}: grid '{grid.get('Name')}': refers to {len(followed)} elements {tag}, expected one; name the"
                " grid of its mesh: Grid[@Name='mesh']"
            )
        mesh.extend(followed[:1])
    return mesh


def _included(file: Path, root: Element, grid: Element) -> list[Element]:
    """What is included into a grid. As in XInclude, what others include is not there to be included."""
    includes = [child for child in grid if child.tag.endswith("}include")]
    return [element for include in includes for element in _pointed_at(file, root, include)]


def _pointed_at(file: Path, root: Element, include: Element) -> list[Element]:
    if include.get("href"):
        raise ProblemFileError(
            f"{file}: xi:include: refers to '{include.get('href')}'; a mesh in another file is not supported: write it"
            " into this one"
        )
    pointer = include.get("xpointer", "")
    match = _POINTER.fullmatch(pointer)
    if not match:
        raise _not_understood(file, pointer)
    return _found(file, root, match[1])


def _followed(file: Path, root: Element, element: Element) -> Element:
    """The element, or the one that it refers to, its numbers as well."""
    element = _target(file, root, element)
    children = [_target(file, root, child) if child.tag == "DataItem" else child for child in element]
    if all(one is other for one, other in zip(children, element, strict=True)):
        return element
    followed = copy(element)
    followed[:] = children
    return followed


def _target(file: Path, root: Element, element: Element) -> Element:
    for _ in range(NESTED):
        if "Reference" not in element.attrib:
            return element
        reference = element.attrib["Reference"]
        element = _found(file, root, (element.text or "") if reference == "XML" else reference)[0]
    raise _not_understood(file, element.attrib["Reference"])


def _found(file: Path, root: Element, path: str) -> list[Element]:
    """The elements at an absolute path, at least one."""
    path, here, end = path.strip(), [root], 0
    for step in _STEP.finditer(path):
        if step.start() != end:
            break
        axis, name, predicates = step.groups()
        parents = here if axis == "/" else [below for each in here for below in each.iter()]
        here = [child for parent in parents for child in _children(file, parent, name, predicates)]
        end = step.end()
    if end != len(path) or not end:
        raise _not_understood(file, path)
    if not here:
        raise ProblemFileError(
            f"{file}: reference '{path}': nothing is there; expected Topology and Geometry of a grid"
        )
    return here


def _children(file: Path, parent: Element, name: str, predicates: str) -> list[Element]:
    chosen = [child for child in parent if name in ("*", child.tag)]
    for predicate in _PREDICATE.findall(predicates):
        attribute = _ATTRIBUTE.fullmatch(predicate)
        if predicate.strip().isdecimal():
            chosen = chosen[int(predicate) - 1 : int(predicate)]
        elif attribute:
            chosen = [child for child in chosen if child.get(attribute[1]) == attribute[3]]
        elif _NAMES.fullmatch(predicate):
            chosen = [child for child in chosen if child.tag in re.findall(r"self::(\w+)", predicate)]
        else:
            raise _not_understood(file, f"[{predicate}]")
    return chosen


def _not_understood(file: Path, reference: str) -> ProblemFileError:
    return ProblemFileError(
        f"{file}: reference '{reference.strip()}' is not understood; expected a path such as"
        " /Xdmf/Domain/Grid[@Name='mesh']/*[self::Topology or self::Geometry]"
    )
