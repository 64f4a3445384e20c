"""Images as files hold them: intensities, label maps beside them as numbers, and each contrast as an image of its own
where it was read so. The inverse of `channels`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from semblance.modalities.image.data import Images, Layout


@dataclass(frozen=True, eq=False)
class Plain:
    """An image to be written: `numbers` (channels, ...) of the layout's type, `masks` by name, the `row` of its record,
    and the `domain` where contrasts stand apart."""

    row: int
    numbers: np.ndarray
    masks: dict[str, np.ndarray]
    domain: str = ""


def plain(images: Images) -> Iterator[Plain]:
    """Every image of all records, the contrasts of one after each other. Contrasts that nobody knows are left out."""
    layout, light = images.layout, images.light
    for row, (pixels, one) in enumerate(zip(images.pixels, light, strict=True)):
        masks = {
            channel.name: np.asarray(channel.numbers, dtype=channel.stored)[np.nan_to_num(pixels[i]).astype(np.int64)]
            for i, channel in layout.maps.items()
            if not np.isnan(pixels[i]).all()
        }
        if not layout.apart:
            yield Plain(row, layout.numbers(one), masks)
            continue
        for i, name in enumerate(names(layout)):
            if not np.isnan(one[i]).all():
                yield Plain(row, layout.numbers(one[i : i + 1]), masks, name)


def names(layout: Layout) -> list[str]:
    """The names of the channels that are intensities."""
    return [channel.name for channel in layout.channels if not channel.classes]
