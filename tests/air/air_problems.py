"""Equations at three stations, which models state anew at theirs."""

from physolve.spec import loads_problem

WIND = "[wind_x(x, y, t), wind_y(x, y, t)]"
FULL = f"dt(c) + a*div(c*{WIND}) = D*laplacian(c) - k*c + source(x, y, t)"


def problem_of(equation: str):
    """A problem with the parameters and the data that its equation names."""
    parameters = {"a": 0.2, "D": 500.0, "k": 1e-5}
    used = [f"{name} = {value}" for name, value in parameters.items() if f"{name}*" in equation]
    measured = [name for name in ("wind_x", "wind_y", "source") if name in equation]
    text = f"""
        coordinates = ["x", "y", "t"]
        unknowns = ["c"]
        domain = "stations([[0, 0], [1, 0], [0, 1]]) * time(0, 43200)"
        equations = ["{equation}"]
        [parameters]
        {chr(10).join(used)}
        [data]
        {chr(10).join(name + ' = { at = "stations" }' for name in measured)}
    """
    return loads_problem(text)
