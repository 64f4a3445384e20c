"""From what files hold to channels on one grid: masks behind the pixels of their image, contrasts of a pair together.

An image of a pair becomes a channel that its `domain` names. Without pairs every image is a record of its own, and the
channels of all other domains are NaN: nobody knows them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from semblance.core.errors import Problem
from semblance.core.large import Shelf, by_rows
from semblance.modalities.image.data import COLOURS, Channel
from semblance.modalities.image.declare import Said
from semblance.modalities.image.found import DOMAIN, LABEL, PAIR, SPLIT, SUBJECT, Found

MOST = 20
"""Classes of a label map, at most: what has more numbers tells single objects apart."""
OBJECTS = ("instances", "instance")
"""Names of maps whose numbers tell single objects apart; all of them are of one class."""
AROUND = "background"


@dataclass(frozen=True, eq=False)
class Settled:
    """Images with the pixels of all their channels; what these are (nothing where none has a name), and whether files
    hold each of them as an image of its own."""

    found: Sequence[Found]
    channels: tuple[Channel, ...] = ()
    apart: bool = False
    notes: tuple[str, ...] = ()


def settled(found: Sequence[Found], said: Said, known: Sequence[Channel] = ()) -> tuple[Settled, list[Problem]]:
    """Images of one size as records of channels, with every problem of masks, domains and pairs; `known` are the
    channels of images that were read before."""
    found = [_renumbered(one, known) for one in found]
    maps, problems = _maps(found, said, known)
    problems += [*_of_domains(found), *_of_pairs(found, said)]
    if problems:
        return Settled(found), problems
    notes = tuple(
        f"the mask '{name}' shows nothing in any image: left out" for name, one in maps.items() if one is None
    )
    shown = {name: one for name, one in maps.items() if one is not None}
    notes += tuple(_unknown(found, shown))
    if any(DOMAIN in one.facts for one in found):
        made = _joined(found, shown, known, notes)
    else:
        before = tuple(channel.name for channel in known if not channel.classes)
        names = before if len(before) == len(found[0].pixels) else _names(found[0])
        named = bool(shown or said.given or known)
        channels = (*map(Channel, names), *shown.values()) if named else ()
        shelf = Shelf()
        made = Settled([_stacked(one, shown).on(shelf) for one in found] if shown else found, channels, False, notes)
    return made, list(_of_given(made.channels, said.given))


# Masks


def _maps(
    found: Sequence[Found], said: Said, known: Sequence[Channel]
) -> tuple[dict[str, Channel | None], list[Problem]]:
    """Of each mask its channel (None where it shows nothing), and what is wrong with any."""
    made: dict[str, Channel | None] = {}
    problems = list[Problem]()
    before = {channel.name: channel for channel in known if channel.classes}
    names = dict.fromkeys(name for one in found for name in one.masks)
    for name in (*names, *(name for name in said.masks if name not in names)):
        odd = list(_unfit(found, name))
        numbers = [] if odd else sorted({int(x) for one in found for x in np.unique(_single(one.masks[name], name))})
        named = said.masks.get(name, found[0].classes.get(name, ()))
        classes = before[name].numbers if name in before else tuple(range(len(named)))
        strange = [x for x in numbers if classes and x not in classes]
        if strange and name not in before:
            fix = f"{name} = [...] with a name for each number from 0 on, in [image.masks]"
            odd.append(Problem(f"the mask '{name}' has numbers without a class", "every number has a class", fix))
        elif len(numbers) > MOST:
            fix = "give classes of objects; where numbers tell single objects apart, call the mask 'instances'"
            odd.append(
                Problem(f"the mask '{name}' has {len(numbers)} numbers", f"a mask has at most {MOST} classes", fix)
            )
        if odd:
            problems += odd
        elif name in before:
            made[name] = before[name]
        else:
            made[name] = _channel(name, numbers, named, found)
    return made, problems


def unfit(found: Sequence[Found]) -> Iterator[Problem]:
    """What is wrong with the masks and domains of single images, whatever else is wrong with any."""
    for name in dict.fromkeys(name for one in found for name in one.masks):
        yield from _unfit(found, name)
    yield from _of_domains(found)


def _renumbered(one: Found, known: Sequence[Channel]) -> Found:
    """Masks whose file names their classes, with the numbers that these had in images read before; a class that none of
    them had counts as what is around."""
    made = dict(one.masks)
    for channel in known:
        names = one.classes.get(channel.name, ())
        if channel.classes and channel.name in made and names:
            numbers = dict(zip(channel.classes, channel.numbers, strict=True))
            own = np.array([numbers.get(name, channel.numbers[0]) for name in names])
            mask = made[channel.name]
            fits = np.isfinite(mask).all() and mask.min() >= 0 and mask.max() < len(own)
            made[channel.name] = own[mask.astype(np.int64)] if fits else mask
    return replace(one, masks=made)


def _unfit(found: Sequence[Found], name: str) -> Iterator[Problem]:
    """Images whose mask is missing, of another size, or of numbers that are not whole or below 0."""
    for one in found:
        mask = one.masks.get(name)
        if mask is None:
            yield Problem(f"'{one.name}' has no mask '{name}'", "all images have a mask, or none", "give all of them")
        elif mask.shape != one.pixels.shape[1:]:
            size = "x".join(map(str, mask.shape))
            mine = "x".join(map(str, one.pixels.shape[1:]))
            found_so = f"'{one.name}': a mask '{name}' of {size} pixels on an image of {mine}"
            yield Problem(found_so, "a mask has the size of its image", "resample it by nearest neighbour")
        elif not np.isfinite(mask).all() or (mask % 1 != 0).any():
            rule, fix = "a mask holds whole numbers", "round it, or resample it by nearest neighbour"
            yield Problem(f"'{one.name}': the mask '{name}' has numbers that are not whole", rule, fix)
        elif (mask < 0).any():
            rule, fix = "a mask holds numbers from 0 on", "number its classes from 0; what is to be ignored is of one"
            yield Problem(f"'{one.name}': the mask '{name}' has negative numbers", rule, fix)


def _single(mask: np.ndarray, name: str) -> np.ndarray:
    """The numbers of classes; objects are all of one."""
    return (mask != 0).astype(np.uint8) if name in OBJECTS else mask


def _channel(name: str, numbers: Sequence[int], classes: Sequence[str], found: Sequence[Found]) -> Channel | None:
    kind = found[0].masks[name].dtype
    stored = str(kind) if kind.kind in "ui" and name not in OBJECTS else "uint8"
    if classes:
        return Channel(name, tuple(classes), tuple(range(len(classes))), stored)
    others = [x for x in numbers if x != 0]
    if not others:
        return None
    called = [name] if len(others) == 1 else [f"{name} {x}" for x in others]
    return Channel(name, (AROUND, *called), (0, *others), stored)


def _codes(mask: np.ndarray, name: str, channel: Channel) -> np.ndarray:
    """The positions of classes, float32; numbers of none are of the first, as when the first images were read."""
    numbers = _single(mask, name)
    places = np.searchsorted(channel.numbers, numbers)
    return np.where(np.isin(numbers, channel.numbers), places, 0).astype(np.float32)


def _unknown(found: Sequence[Found], shown: Mapping[str, Channel]) -> Iterator[str]:
    for name, channel in shown.items():
        if not all(np.isin(_single(one.masks[name], name), channel.numbers).all() for one in found):
            yield f"the mask '{name}' has numbers of no class that is known: they count as '{channel.classes[0]}'"


def _stacked(one: Found, shown: Mapping[str, Channel]) -> Found:
    """With the masks that are shown behind its other channels."""
    codes = [_codes(one.masks[name], name, channel)[None] for name, channel in shown.items()]
    return replace(one, pixels=np.concatenate([one.pixels, *codes]), masks={})


# Domains and pairs


def _of_domains(found: Sequence[Found]) -> Iterator[Problem]:
    told = [bool(one.facts.get(DOMAIN)) for one in found]
    if any(told):
        for one, has in zip(found, told, strict=True):
            if not has:
                yield Problem(f"'{one.name}' has no domain", "all images have a domain, or none", "name its contrast")


def _of_pairs(found: Sequence[Found], said: Said) -> Iterator[Problem]:
    """Pairs that only some images have, of images of one domain, without some domain, or of other facts."""
    told = [bool(one.facts.get(PAIR)) for one in found]
    if not any(told):
        return
    if not all(told) or not all(one.facts.get(DOMAIN) for one in found):
        rule = "all images of a paired set have a domain and a pair"
        yield Problem(f"{sum(told):,} of {len(found):,} images have a pair", rule, "name both, or leave out `pair`")
        return
    domains, groups = {one.facts[DOMAIN] for one in found}, _groups(found).values()
    if all(len(group) == 1 for group in groups):  # each of its own: nothing is paired
        return
    for group in groups:
        own = [one.facts[DOMAIN] for one in group]
        if len(set(own)) < len(own):
            rule, fix = "a pair has one image of each domain", "give them pairs of their own"
            yield Problem(f"'{group[0].name}': a pair with several images of one domain", rule, fix)
        elif set(own) != domains:
            rule, fix = "a pair has an image of every domain", "leave it out, or all of `pair` where nothing is paired"
            yield Problem(f"'{group[0].name}': a pair without some domain", rule, fix)
        for fact in (LABEL, SPLIT):
            if len({one.facts.get(fact) for one in group}) > 1:
                rule = f"the images of a pair have one {fact}"
                yield Problem(f"'{group[0].name}': a pair with several of `{fact}`", rule, "correct the manifest")
        for name in dict.fromkeys(name for one in group for name in one.columns):
            if len({one.columns.get(name) for one in group}) > 1 and said.columns.get(name, {}).get("role") != "drop":
                fix = f'correct the manifest, or [columns."{name}"] role = "drop"'
                rule = "what is known of the images of a pair is one"
                yield Problem(f"'{group[0].name}': a pair with several of `{name}`", rule, fix, name)


def _groups(found: Sequence[Found]) -> dict[tuple[str, str], list[Found]]:
    """Images by pair, each patient's apart; without pairs each by itself."""
    made: dict[tuple[str, str], list[Found]] = {}
    for i, one in enumerate(found):
        key = (one.facts.get(SUBJECT, ""), one.facts[PAIR]) if one.facts.get(PAIR) else ("", str(i))
        made.setdefault(key, []).append(one)
    return made


def _joined(
    found: Sequence[Found], shown: Mapping[str, Channel], known: Sequence[Channel], notes: tuple[str, ...]
) -> Settled:
    before = [channel.name for channel in known if not channel.classes]
    domains = before or sorted({one.facts[DOMAIN] for one in found})
    each = len(found[0].pixels)
    called = domains if each == 1 else [f"{domain} {i + 1}" for domain in domains for i in range(each)]
    shelf = Shelf()
    made = [_record(group, domains, each, shown).on(shelf) for group in _groups(found).values()]
    return Settled(made, (*map(Channel, called), *shown.values()), True, notes)


def _record(group: Sequence[Found], domains: Sequence[str], each: int, shown: Mapping[str, Channel]) -> Found:
    """The images of a pair as one; what no image shows is NaN."""
    first, sides = group[0], group[0].pixels.shape[1:]
    pixels = np.full((len(domains) * each, *sides), np.nan, dtype=np.float32)
    for one in group:
        at = domains.index(one.facts[DOMAIN]) * each
        pixels[at : at + each] = one.pixels
    facts = {name: text for name, text in first.facts.items() if name not in (DOMAIN, PAIR)}
    return _stacked(replace(first, pixels=pixels, facts=facts, channels=()), shown)


def _names(one: Found) -> tuple[str, ...]:
    """The names of an image's channels: as the file tells them, colours, or numbers."""
    count = len(one.pixels)
    if len(one.channels) == count:
        return one.channels
    return ("image",) if count == 1 else COLOURS if count == 3 else tuple(str(i + 1) for i in range(count))


def _of_given(channels: Sequence[Channel], given: Sequence[str]) -> Iterator[Problem]:
    names = [channel.name for channel in channels]
    for name in given:
        if name not in names:
            rule, fix = "[image] given names channels", f"of {', '.join(names)}"
            yield Problem(f"no channel '{name}'", rule, fix)
    if given and set(names) <= set(given):
        yield Problem("every channel is given", "at least one is painted from the others", "name fewer in given")


def shows(pixels: np.ndarray, channel: int, code: int) -> np.ndarray:
    """(n,) bool: which images of (n, channels, ...) show a class of a label map."""
    return by_rows(lambda part: (part[:, channel] == code).reshape(len(part), -1).any(1), pixels)


def told(channels: Mapping[int, Channel], pixels: np.ndarray, rare: int) -> Iterator[str]:
    """What a person is told of label maps: in how many images each class is. One that none shows any more, since fewer
    than `rare` patients did (`encode.common_maps`), is told as one that none ever did."""
    for i, channel in channels.items():
        shown = {name: int(shows(pixels, i, code).sum()) for code, name in enumerate(channel.classes) if code}
        if counted := ", ".join(f"{name} in {n:,}" for name, n in shown.items() if n):
            yield f"the mask '{channel.name}' shows {counted} of {len(pixels):,} images"
        if lost := ", ".join(name for name, n in shown.items() if not n):
            yield f"the mask '{channel.name}': {lost} is shown by fewer than {rare} patients, and is not learned"
