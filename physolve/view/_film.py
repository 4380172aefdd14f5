"""Writing animations."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from pathlib import Path

from ..errors import NumericalError
from ..io._files import replacing
from ._render import Pixels

#: Suffixes of animations.
FILMS = (".gif", ".mp4")


def write_film(frames: Iterable[Pixels], path: str | PathLike[str], fps: int) -> None:
    """Write frames (height, width, 3), all of one size, as GIF (endless) or MP4 by the suffix.

    Whole or not at all. Raises ProblemFileError if the file cannot be written, NumericalError if the coder
    fails.
    """
    with replacing(path) as temporary:
        if temporary.suffix.lower() == ".gif":
            _write_gif(list(frames), temporary, fps)
        else:
            _write_mp4(frames, temporary, fps)


def _write_gif(frames: list[Pixels], path: Path, fps: int) -> None:
    """One palette for all frames, so that a colour means the same in each."""
    import numpy as np
    from PIL import Image

    chosen = frames[:: max(1, len(frames) // 6)]
    montage = Image.fromarray(np.concatenate(chosen, axis=0))
    palette = montage.quantize(colors=256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    images = [Image.fromarray(f).quantize(palette=palette, dither=Image.Dither.NONE) for f in frames]
    images[0].save(
        path,
        format="GIF",
        save_all=True,
        append_images=images[1:],
        duration=max(round(1000 / fps), 20),
        loop=0,
        optimize=False,
    )


def _write_mp4(frames: Iterable[Pixels], path: Path, fps: int) -> None:
    import imageio.v2 as imageio

    try:
        with imageio.get_writer(
            path,
            format="FFMPEG",
            fps=fps,
            codec="libx264",
            quality=8,
            macro_block_size=2,
            pixelformat="yuv420p",
        ) as writer:
            for frame in frames:
                writer.append_data(frame)
    except (RuntimeError, ValueError) as error:
        raise NumericalError(
            f"{path.name}: the video coder failed ({str(error).splitlines()[0]}); try .gif"
        ) from error
