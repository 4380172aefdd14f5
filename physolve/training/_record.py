"""What is known of a training run, kept next to its weights: configuration, curve, hardware, hours."""

import dataclasses
import json
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from physolve.io import replacing
from physolve.jets import Activation


def record_of(
    configuration: Any, batch: int, curve: list[dict[str, float]], seconds: float, steps: int, processes: int
) -> dict[str, Any]:
    """The record of a run as JSON-able data. `configuration` is a dataclass, `batch` samples a step and process,
    `seconds` those spent in training, interruptions not counted."""
    return {
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "configuration": as_data(configuration),
        "hardware": hardware(),
        "hours": round(seconds / 3600, 4),
        "steps": steps,
        "processes": processes,
        "samples": steps * batch * processes,
        "curve": curve,
    }


def write_record(path: Path, record: dict[str, Any]) -> None:
    """Write the record; a file that was there is replaced whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def as_data(value: Any) -> Any:
    """Dataclasses, tuples and numbers as JSON-able data; activations by their names."""
    if isinstance(value, Activation):
        return value.name
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: as_data(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, (tuple, list)):
        return [as_data(each) for each in value]
    if isinstance(value, dict):
        return {str(key): as_data(each) for key, each in value.items()}
    return value if isinstance(value, (bool, int, float, str, type(None))) else repr(value)


def hardware() -> dict[str, Any]:
    """Processor, cores, GPU and versions."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {
        "machine": platform.machine(),
        "processor": _processor(),
        "threads": torch.get_num_threads(),
        "gpu": gpu,
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
