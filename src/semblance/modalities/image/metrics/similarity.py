"""Do synthetic images resemble each other more than real ones do? Then variety was lost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import uniform_filter

from semblance.core.judge import Wording, measures, to_real
from semblance.core.report import Finding
from semblance.modalities.image.data import Images
from semblance.modalities.image.embed import ends
from semblance.modalities.image.metrics.samples import SAMPLES, Measured, pooled

METRIC = "fidelity.image_similarity"
SCALES, WINDOW, SIDE = 2, 7, 64


@measures(METRIC)
def similarity(evidence: Measured) -> tuple[Finding, ...]:
    """|difference| between the mean structural similarity of pairs of synthetic images and that of holdout; 0 is best.

    MS-SSIM (Wang, Simoncelli and Bovik 2003) at two scales of each image with another one of its label, as Odena et al.
    (2017) look for collapse; of several channels the mean, each by its contrast's range of brightness. `detail`
    tells both means: above the real one, images are too much alike. Control: train.
    """
    if reason := SAMPLES.too_few(evidence):
        return (_finding(METRIC, status="insufficient", reason=reason),)
    low, high = ends(evidence.train)
    reach = (high - low).tolist()
    told = SAMPLES.described(evidence, lambda images: _among(images, reach)[:, None])
    made = SAMPLES.apart(evidence, told, lambda a, b: np.abs(a.mean(0) - b.mean(0)))
    means = {part: float(told[part].mean()) for part in ("synthetic", "holdout")}
    numbers = SAMPLES.estimates(evidence, made, within=(0.0, 2.0))
    return (_finding(METRIC, **numbers, detail=means | to_real(numbers)),)


def _among(images: Images, reach: Sequence[float]) -> np.ndarray:
    """(n,) the similarity of each image to the next one of its label: the mean over channels, each of its own reach."""
    order = np.argsort(images.labels, kind="stable")
    labels = images.labels[order]
    nearby = np.empty(len(order), dtype=np.int64)
    for label in np.unique(labels):
        mine = order[labels == label]
        nearby[mine] = np.roll(mine, 1)
    x = pooled(images.light, SIDE)
    each = [ms_ssim(x[:, i], x[nearby, i], own) for i, own in enumerate(reach)]
    made: np.ndarray = np.mean(each, axis=0)
    return made


def ms_ssim(a: np.ndarray, b: np.ndarray, reach: float) -> np.ndarray:
    """(n,) multi-scale structural similarity of images (n, ...) whose brightness has this `reach`."""
    made = np.ones(len(a))
    for scale in range(SCALES):
        light, structure = ssim(a, b, reach)
        whole = light * structure if scale == SCALES - 1 else structure
        made *= np.maximum(whole.reshape(len(a), -1).mean(1), 0) ** (1 / SCALES)
        a, b = (pooled(x[:, None], max(max(x.shape[1:]) // 2, 1))[:, 0] for x in (a, b))
    return made


def ssim(a: np.ndarray, b: np.ndarray, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Luminance, and contrast times structure, around each pixel."""
    size = (1, *(min(WINDOW, side) for side in a.shape[1:]))
    one, two = (0.01 * reach) ** 2, (0.03 * reach) ** 2

    def around(x: np.ndarray) -> np.ndarray:
        mean: np.ndarray = uniform_filter(x, size)
        return mean

    ma, mb = around(a), around(b)
    va, vb, both = around(a * a) - ma**2, around(b * b) - mb**2, around(a * b) - ma * mb
    return (2 * ma * mb + one) / (ma**2 + mb**2 + one), (2 * both + two) / (va + vb + two)


_finding = Wording(
    {
        METRIC: (
            "Alike among each other",
            "How far the likeness of synthetic images among each other is from that of real ones (0: the same).",
        )
    }
)
