"""How long `import physolve` takes beyond `import torch`: medians over new interpreters, and their ratio.

    python benchmarks/import_time.py [RUNS]

Goal: at most 2 s more.
"""

import statistics
import subprocess
import sys
import time

STATEMENTS = ("pass", "import torch", "import physolve")
GOAL = 2.0


def seconds(statement: str) -> float:
    """Wall time of a new interpreter that runs the statement."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - began


def main(runs: int) -> None:
    for statement in STATEMENTS:  # files into memory
        seconds(statement)
    median = {s: statistics.median(seconds(s) for _ in range(runs)) for s in STATEMENTS}
    print(f"{'statement':<16} {'seconds':>8} {'/ torch':>8}")
    for statement, time_taken in median.items():
        print(f"{statement:<16} {time_taken:8.2f} {time_taken / median['import torch']:8.2f}")
    extra = median["import physolve"] - median["import torch"]
    print(f"physolve beyond torch: {extra:.2f} s (goal {GOAL:.0f} s: {'met' if extra <= GOAL else 'missed'})")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
