"""The folder in which trajectories wait until all are there: what an interrupted run goes on from."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from physolve.errors import SpecificationError
from physolve.io import replacing

from .._npz import read_npz
from .._series import Series
from ._settings import ChannelSettings
from ._simulate import Frames

_SETTINGS = "settings.json"


@dataclass(frozen=True)
class Pieces:
    """NAME.npz for every trajectory that is whole, NAME.txt with the reason for one that has no solution."""

    folder: Path

    @classmethod
    def beside(cls, target: Path) -> "Pieces":
        """Of a data set."""
        return cls(target.with_name(f"{target.name}.pieces"))

    def open(self, settings: ChannelSettings, seed: int) -> None:
        """Make the folder, or go on in it.

        Raises SpecificationError where its trajectories were made with other settings, or it cannot be made.
        """
        wanted = {**settings.described(), "seed": seed}
        file = self.folder / _SETTINGS
        if file.exists():
            self._compare(json.loads(file.read_text(encoding="utf-8")), wanted)
            return
        try:
            self.folder.mkdir(exist_ok=True)
        except OSError as error:
            raise SpecificationError(f"{self.folder}: cannot be made ({error.strerror}); create its folder") from error
        with replacing(file) as temporary:
            temporary.write_text(json.dumps(wanted, indent=1), encoding="utf-8")

    def _compare(self, made: dict[str, object], wanted: dict[str, object]) -> None:
        for name, value in wanted.items():
            if made.get(name) != value:
                raise SpecificationError(
                    f"{self.folder}: holds trajectories that were made with {name} = {made.get(name)}, not {value};"
                    " give the same, remove the folder, or choose another file"
                )

    def has(self, name: str) -> bool:
        """Whether nothing is left to be done for a trajectory."""
        return self._whole(name).exists() or self._reason(name).exists()

    def keep(self, name: str, frames: Frames) -> None:
        with replacing(self._whole(name)) as temporary, temporary.open("wb") as file:
            np.savez(file, **vars(frames))

    def leave_out(self, name: str, reason: str) -> None:
        with replacing(self._reason(name)) as temporary:
            temporary.write_text(reason, encoding="utf-8")

    def reason(self, name: str) -> str | None:
        """Why a trajectory is left out; None where it is whole."""
        return None if self._whole(name).exists() else self._reason(name).read_text(encoding="utf-8")

    def series(self, name: str) -> Series:
        """A trajectory that is whole."""
        return read_npz(self._whole(name))[0]

    def remove(self) -> None:
        shutil.rmtree(self.folder)

    def _whole(self, name: str) -> Path:
        return self.folder / f"{name}.npz"

    def _reason(self, name: str) -> Path:
        return self.folder / f"{name}.txt"
