"""Geometry: shapes, their combinations and products with time; signed distance, sampling, corners, holes."""

from ._csg import Difference as Difference
from ._csg import Intersection as Intersection
from ._csg import Union as Union
from ._ellipse import Ellipse as Ellipse
from ._interval import Interval as Interval
from ._interval import TimeInterval as TimeInterval
from ._maximum import boundary_maximum as boundary_maximum
from ._maximum import maximum as maximum
from ._mesh import MeshDomain as MeshDomain
from ._polygon import Polygon as Polygon
from ._polygon import Triangle as Triangle
from ._quadrature import quadrature as quadrature
from ._rectangle import Box as Box
from ._rectangle import Rectangle as Rectangle
from ._round import Ball as Ball
from ._round import Cylinder as Cylinder
from ._round import Disk as Disk
from ._samples import Corner as Corner
from ._samples import Hole as Hole
from ._samples import Samples as Samples
from ._shape import Shape as Shape
from ._spacetime import SpaceTime as SpaceTime
from ._spacetime import split_time as split_time
from ._transform import Named as Named
from ._transform import Rotated as Rotated
from ._transform import Translated as Translated
