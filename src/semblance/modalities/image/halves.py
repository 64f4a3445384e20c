"""Images of which each shows one domain alone, and nothing is paired: the CT of some patients, the MR of others.

What nobody knows is NaN. Judges of such sets see every domain of a record as an image of its own: how the two sides of
a synthetic record belong together cannot be judged where no real record shows both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from semblance.core import large
from semblance.core.errors import DataError, Problem
from semblance.modalities.image.data import Channel, Images

Domain = tuple[int, ...]
"""The channels of a domain."""
APART = 0.1
"""Total variation between the labels of two domains from which on a person is told."""


def known(images: Images) -> np.ndarray:
    """(n, channels) bool: of which channels every pixel is known."""
    return _seen(images, np.all)


def _seen(images: Images, which: Callable[[np.ndarray, int], np.ndarray]) -> np.ndarray:
    """(n, channels) bool: of which channels `which` pixels, np.all or np.any of them, are known."""
    return large.by_rows(lambda x: which(~np.isnan(x).reshape(*x.shape[:2], -1), 2), images.pixels)


def known_in_part(images: Images) -> bool:
    """Whether any pixel of any image is unknown."""
    return not known(images).all()


def domains(images: Images) -> tuple[Domain, ...]:
    """The channels of intensities that are known together, of each domain, in their order; nothing where no image
    lacks any, or where what is known of some overlaps."""
    if not images.layout.apart:  # most sets: no pixel is looked at
        return ()
    light = [i for i in range(images.pixels.shape[1]) if i not in images.layout.maps]
    seen = known(images)[:, light]
    ways = np.unique(seen[~seen.all(1)], axis=0) if len(seen) else seen
    if len(ways) < 2 or (ways.sum(0) != 1).any():
        return ()
    return tuple(sorted(tuple(light[i] for i in np.flatnonzero(way)) for way in ways))


def unlike(images: Images, sides: tuple[Domain, ...]) -> bool:
    """Whether an image shows a domain in part, or none at all."""
    seen, some = known(images), _seen(images, np.any)
    whole = np.stack([seen[:, list(side)].all(1) for side in sides])
    return bool((seen != some).any() or not whole.any(0).all())


def unpaired(images: Images, *, rare: int) -> bool:
    """Whether each image shows one domain, so that they can be learned. Raises DataError with what is wrong where some
    do, and others do not."""
    sides = domains(images)
    if not sides:
        return False
    problems = []
    if unlike(images, sides):
        rule = "each image shows one domain whole, and nothing of the others"
        problems.append(Problem("images of which a domain is known in part", rule, "leave them out, or crop all alike"))
    seen = known(images)
    for side in sides:
        count = len(np.unique(images.subjects[seen[:, list(side)].all(1)]))
        if count < rare:
            name = images.layout.channels[side[0]].name
            rule = f"a domain has at least {rare} patients (`rare`)"
            problems.append(Problem(f"'{name}' of {count} patients", rule, "give more images of it"))
    if problems:
        raise DataError(*problems)
    return True


def judged(images: Images, reference: Images) -> Images:
    """As judges see images where those of `reference` show one domain each: every domain of a record as an image of its
    own, with the masks beside it. Other images are seen as they are."""
    sides = domains(reference)
    if not sides:
        return images
    seen, maps = known(images), list(images.layout.maps)
    parts = [(np.flatnonzero(seen[:, list(side)].all(1)), [*side, *maps]) for side in sides]
    rows = np.concatenate([where for where, _ in parts])
    order = np.argsort(rows, kind="stable")
    pixels = large.empty((len(rows), len(parts[0][1]), *images.pixels.shape[2:]))
    places = iter(np.argsort(order))
    for where, shown in parts:
        for row in where:
            pixels[next(places)] = images.pixels[row, shown]
    names = tuple(Channel(f"image {i + 1}") for i in range(len(sides[0])))
    channels = (*names, *(images.layout.channels[i] for i in maps)) if maps else ()
    layout = replace(images.layout, channels=channels, given=(), apart=False)
    named = [", ".join(images.layout.channels[i].name for i in side) for side in sides]
    domain = np.repeat(named, [len(where) for where, _ in parts])[order]
    return replace(images.take(rows[order]), pixels=pixels, layout=layout, domain=domain)


def told(images: Images) -> Iterator[str]:
    """What a person is told of unpaired images: how many there are of each domain, and whether their labels differ.

    Where they do, a translator learns to add or to remove disease (Cohen, Luck & Honari, Distribution Matching Losses
    Can Hallucinate Features in Medical Image Translation, MICCAI 2018).
    """
    sides = domains(images)
    if not sides:
        return
    yield "nothing is paired, and each image shows one contrast: `cyclegan`, `cut` and the floor learn from them"
    if (gap := label_gap(images)) > APART:
        yield (
            f"labels of the domains differ (total variation {gap:.2f}): a translator learns to add or to remove what "
            "the other domain has more of, disease among it; take images of like patients"
        )


def label_gap(images: Images) -> float:
    """The largest total variation (0 to 1) between the shares of labels in two domains; 0 where nothing is unpaired."""
    labels, seen = np.unique(images.labels, return_inverse=True)[1], known(images)
    shares = []
    for side in domains(images):
        count = np.bincount(labels[seen[:, list(side)].all(1)], minlength=int(labels.max()) + 1)
        shares.append(count / count.sum())
    return max((float(np.abs(a - b).sum() / 2) for a in shares for b in shares), default=0.0)
