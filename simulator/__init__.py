"""A synthetic streaming service with known truth: raw tables of the contract, from a seed.

What belongs here: drawing people, billing, viewing and touch points, planting faults on purpose,
and writing down what was planted. What does not: any definition of a metric; the marts are computed
elsewhere and judged against the truth written here.
"""

from simulator.service import SimulationError, simulate
from simulator.truth import Truth

__all__ = ["SimulationError", "Truth", "simulate"]
