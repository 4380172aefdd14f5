"""What is carried around a ring."""

from sympy import pi, sin

from physolve.spec import Eq, Initial, Interval, Periodic, Problem, TimeInterval, coordinates, d, dt, unknown

x, t = coordinates("x", "t")
u = unknown("u", x, t)
TAU = float(2 * pi)
WAVE = sin(x)


def on_ring(velocity, source=0, start=WAVE, until=1.0):
    domain = Interval(0, TAU) * TimeInterval(0, until)
    return Problem(Eq(dt(u) + velocity * d(u, x), source), domain, [Initial(u, start), Periodic(u, x)])
