"""Networks from files that describe images for a Fréchet distance: Inception, or one that knows radiographs.

A file is ONNX, run by `onnxruntime`: it holds arithmetic and numbers, where a pickled or scripted network may hold any
program. It is read whole, so that it names no further file. None is downloaded; each is named in the report by its
SHA-256, since distances by two networks are not to be compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import zoom

from semblance.core.errors import DataError, UsageError
from semblance.core.judge import Wording, measures, slots
from semblance.core.modality import ReadOptions
from semblance.core.need import need
from semblance.core.report import Finding
from semblance.modalities.image.data import Images
from semblance.modalities.image.declare import check
from semblance.modalities.image.embed import ends, unit_of
from semblance.modalities.image.metrics.frechet import ratio
from semblance.modalities.image.metrics.samples import SAMPLES, Measured, pooled
from semblance.modalities.image.pictures import planes

METRIC = "fidelity.image_fid_files"
UNIT = (0.0, 1.0)
"""What the ends of brightness become, where nobody says what a network was trained on."""
SHOWN = 12
"""Characters of a hash that a person is shown; all of them stand in the detail."""
PART = 64
"""Images that a network sees together, at most."""


@dataclass(frozen=True)
class Network:
    """A network by its `name` and `file`, and what it takes for the darkest and the brightest pixel (`range`)."""

    name: str
    file: Path
    range: tuple[float, float] = UNIT

    @cached_property
    def held(self) -> bytes:
        """The file. Raises UsageError where there is none."""
        try:
            return self.file.read_bytes()
        except OSError:
            fix = f'[image] extractors = {{{self.name} = "PATH"}}'
            raise UsageError.of(f"no file '{self.file.name}'", rule="a network's file exists", fix=fix) from None

    @property
    def sha256(self) -> str:
        """The hash of the file."""
        return hashlib.sha256(self.held).hexdigest()

    @cached_property
    def session(self) -> Any:
        """What runs it. Raises UsageError where there is no file, DataError for what is no ONNX, or takes no images."""
        held, runtime = self.held, need("onnxruntime", extra="extractors", why="a network from a file")
        options = runtime.SessionOptions()
        options.log_severity_level, options.use_deterministic_compute = 4, True
        try:
            made = runtime.InferenceSession(held, options, providers=["CPUExecutionProvider"])
        except Exception:  # whatever the library says may name what is in the file
            raise DataError.of(
                f"'{self.file.name}' cannot be run",
                rule="a network is one whole ONNX file, with its weights inside",
                fix="export it again, without external data",
            ) from None
        told = made.get_inputs()
        if len(told) != 1 or len(told[0].shape) != 4 or told[0].type != "tensor(float)":
            raise DataError.of(
                f"'{self.file.name}' does not take images",
                rule="one input of 32 bit numbers with four axes: images, channels, rows, columns",
                fix="export it so",
            )
        return made

    def described(self, images: np.ndarray) -> np.ndarray:
        """(n, d) float64 of (n, channels, height, width) between 0 and 1: its first output, averaged over places, or
        over tokens where it has three axes.

        Raises UsageError for images of other channels than it takes.
        """
        count = self.session.get_inputs()[0].shape[0]
        step = count if isinstance(count, int) else PART
        parts = (images[i : i + step] for i in range(0, len(images), step))
        return np.concatenate([self._described(part) for part in parts])

    def _described(self, images: np.ndarray) -> np.ndarray:
        """The same of no more than the network sees together."""
        (told,) = self.session.get_inputs()
        last = told.shape[1] not in (1, 3) and told.shape[3] in (1, 3)
        count, *sides = (told.shape[3], *told.shape[1:3]) if last else told.shape[1:]
        x = _sized(_coloured(images, count, self.file.name), sides)
        low, high = self.range
        x = (low + (high - low) * x).astype(np.float32)
        if isinstance(told.shape[0], int):
            x = np.concatenate([x, np.zeros((told.shape[0] - len(x), *x.shape[1:]), np.float32)])
        x = np.ascontiguousarray(np.moveaxis(x, 1, -1) if last else x)
        found = self.session.run(None, {told.name: x})[0][: len(images)].astype(float)
        places = tuple(range(1, found.ndim - 1)) if last or found.ndim == 3 else tuple(range(2, found.ndim))
        made: np.ndarray = found.mean(places) if places else found
        return made.reshape(len(images), -1)


def _coloured(images: np.ndarray, count: Any, name: str) -> np.ndarray:
    """Images of so many channels; where it has a name, any will do."""
    have = images.shape[1]
    if not isinstance(count, int) or count == have:
        return images
    if count == 3:
        return np.repeat(images[:, :1], 3, 1)
    if count == 1:
        return images.mean(1, keepdims=True) if have == 3 else images[:, :1]
    rule, fix = f"'{name}' takes {count}", "give a network of one or three channels"
    raise UsageError.of(f"images of {have} channels", rule=rule, fix=fix)


def _sized(images: np.ndarray, sides: list[Any]) -> np.ndarray:
    """Images of so many pixels along the sides that are fixed: neighbours averaged while there are twice as many, then
    linearly between pixels."""
    sides = [side if isinstance(side, int) else own for side, own in zip(sides, images.shape[2:], strict=True)]
    if images.shape[2:] == tuple(sides):
        return images
    least = min(own / side for own, side in zip(images.shape[2:], sides, strict=True))
    small = pooled(images, -(-max(images.shape[2:]) // max(int(least), 1)))
    factors = (1, 1, *(side / own for own, side in zip(small.shape[2:], sides, strict=True)))
    made: np.ndarray = zoom(small, factors, order=1, mode="nearest", grid_mode=True)
    return made


def networks(declared: Mapping[str, Any] | None) -> tuple[Network, ...]:
    """The networks that a schema file, of which all is well, names."""
    said = ({} if declared is None else declared).get("image", {}).get("extractors", {})
    made = []
    for name, told in said.items():
        told = {"file": told} if isinstance(told, str) else told
        made.append(Network(name, Path(told["file"]), tuple(told.get("range", UNIT))))
    return tuple(made)


def marks(declared: Mapping[str, Any] | None) -> dict[str, str]:
    """The SHA-256 of each network's file. Raises UsageError with all that cannot be used; and first with what is wrong
    with the schema file, which nobody has read before."""
    problems, made = check(ReadOptions(declared=declared))[1], dict[str, str]()
    if problems:
        raise UsageError(*problems)
    for one in networks(declared):
        try:
            made[one.name] = one.sha256 if one.session is not None else ""
        except (DataError, UsageError) as error:
            problems += error.problems
    if problems:
        raise UsageError(*problems)
    return made


@measures(METRIC)
def from_files(evidence: Measured) -> tuple[Finding, ...]:
    """The same Fréchet distance over that of train images (`frechet`), by each network that the schema file names: of
    these the one by which it is largest; `detail["networks"]` has all, with the SHA-256 of their files.

    Images are brought to what a network takes: brightness between its ends, one or three channels, its size. Of volumes
    it sees the middle plane across each axis. Interval: grouped jackknife by patient, of the ratio. Control: train.
    """
    given = networks(evidence.declared)
    if not given:
        return _finding.unmeasured((METRIC,), status="not_applicable", reason="no network was given by its file")
    if reason := SAMPLES.too_few(evidence):
        return _finding.unmeasured((METRIC,), status="insufficient", reason=reason)
    between = ends(evidence.train)
    rows, found = list[dict[str, Any]](), dict[str, Any]()
    for one in given:
        told = SAMPLES.described(evidence, lambda images, one=one: _seen(one, images, between))  # type: ignore[misc]
        if not all(np.isfinite(x).all() for x in told.values()):
            reason = f"'{one.name}' describes an image by what is no number"
            return _finding.unmeasured((METRIC,), status="error", reason=reason)
        numbers, detail = ratio(evidence, told)
        rows.append({"name": one.name, "sha256": one.sha256, **numbers["synthetic"].plain(), **detail})
        if not found or numbers["synthetic"].value > found["estimate"].value:
            found = slots(numbers)
    named = ", ".join(f"{row['name']} (SHA-256 {row['sha256'][:SHOWN]}...)" for row in rows)
    return (_finding(METRIC, **found, meaning=f"{_MEANING} Given: {named}.", detail={"networks": rows}),)


def _seen(network: Network, images: Images, between: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """(n, d) numbers of images."""
    unit = np.clip(unit_of(images.light, between), 0, 1)
    if unit.ndim == 4:
        return network.described(unit)
    return np.concatenate([network.described(planes(unit, axis)) for axis in range(3)], axis=1)


_MEANING = (
    "Distance of synthetic from unseen real images in units of that of real ones (1: as near; 2: twice as far), by the "
    "given network for which it is largest."
)
_finding = Wording({METRIC: ("Fréchet distance, networks from files", _MEANING)})
