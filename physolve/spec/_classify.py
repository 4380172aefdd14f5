"""Classification of a problem."""
from dataclasses import dataclass

@dataclass(frozen=True)
class Classification:
    order: int
    linear: bool

def classify(problem): ...
