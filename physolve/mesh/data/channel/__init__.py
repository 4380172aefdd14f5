"""Data sets of flows through channels with obstacles, made by the finite elements of `physolve.reference.flow`."""

from ._case import ChannelCase as ChannelCase
from ._case import draw_case as draw_case
from ._generate import Made as Made
from ._generate import generate as generate
from ._pieces import Pieces as Pieces
from ._settings import ChannelSettings as ChannelSettings
from ._settings import DrawShape as DrawShape
from ._shapes import circle as circle
from ._shapes import ellipse as ellipse
from ._shapes import rectangle as rectangle
from ._shapes import triangle as triangle
from ._simulate import Frames as Frames
from ._simulate import simulated as simulated
