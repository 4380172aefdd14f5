"""Simulators on disk: safetensors with the design in the header."""

from os import PathLike

from physolve.errors import ProblemFileError
from physolve.io import read_tensors, write_tensors

from ._design import design_from_data, design_to_data
from ._simulator import Simulator

KIND = "mesh simulator"


def save_simulator(path: str | PathLike[str], simulator: Simulator) -> None:
    """Write weights, scales and design; the file appears whole or not at all.

    Raises ProblemFileError where it cannot be written.
    """
    write_tensors(path, simulator.state_dict(), {"kind": KIND, "design": design_to_data(simulator.design)})


def load_simulator(path: str | PathLike[str]) -> Simulator:
    """What `save_simulator` wrote, bit for bit, on the CPU and ready to roll out.

    Raises ProblemFileError for a missing, damaged or foreign file and for tensors that do not fit the design.
    """
    tensors, header = read_tensors(path)
    if header.get("kind") != KIND:
        raise ProblemFileError(f"{path}: kind: got {header.get('kind')!r}, expected '{KIND}'; give a file of weights")
    simulator = Simulator(design_from_data(path, header.get("design")))
    try:
        simulator.load_state_dict(tensors)
    except RuntimeError as error:
        told = " ".join(str(error).split())[:160]
        raise ProblemFileError(f"{path}: tensors: these are weights of another network ({told})") from None
    return simulator.eval().requires_grad_(False)
