"""Writing animations."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import NumericalError
from ..io._files import replacing
from ._render import Pixels

#: Suffixes of animations.
FILMS = (".gif", ".mp4")


def write_film(frames: Iterable[Pixels], path: str | PathLike[str], fps: int) -> None:
    """Write frames (height, width, 3), all of one size, as GIF (endless) or MP4 by the suffix.

    Whole or not at all. Raises ProblemFileError if the file cannot be written, NumericalError if the coder fails.
    """
    with replacing(path) as temporary:
        if temporary.suffix.lower() == ".gif":
            _write_gif(list(frames), temporary, fps)
        else:
            _write_mp4(frames, temporary, fps)


def _write_gif(frames: list[Pixels], path: Path, fps: int) -> None:
    """One palette for all frames, so that a colour means the same in each."""
    from PIL import Image

    palette = _palette(frames[:: max(1, len(frames) // 6)])
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


def _palette(frames: list[Pixels]) -> Any:
    """Greys for paper and print, white first, and the rest for what is coloured."""
    from PIL import Image

    pixels = np.concatenate([frame.reshape(-1, 3) for frame in frames])
    colored = pixels[np.ptp(pixels.astype(np.int16), axis=1) > 10][:, None]
    greys = [(g, g, g) for g in np.linspace(255, 0, 24).astype(int).tolist()]
    found: list[int] = []
    if len(colored):
        best = Image.fromarray(colored).quantize(colors=256 - len(greys), method=Image.Quantize.MEDIANCUT, kmeans=2)
        found = list(best.getpalette() or [])
    entries = ([c for grey in greys for c in grey] + found)[: 3 * 256]
    image = Image.new("P", (1, 1))
    image.putpalette(entries + [255] * (3 * 256 - len(entries)))
    return image


def _write_mp4(frames: Iterable[Pixels], path: Path, fps: int) -> None:
    import imageio.v2 as imageio

    try:
        writer: Any = imageio.get_writer(
            path, format="FFMPEG", fps=fps, codec="libx264", quality=8, macro_block_size=2, pixelformat="yuv420p"
        )
        with writer:
            for frame in frames:
                writer.append_data(frame)
    except (RuntimeError, ValueError) as error:
        raise NumericalError(f"{path.name}: the video coder failed ({str(error).splitlines()[0]}); try .gif") from error
