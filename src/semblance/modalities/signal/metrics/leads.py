"""How leads go together: their correlation in time, and their coherence by frequency."""

from __future__ import annotations

import numpy as np

from semblance.core.judge import Wording, measures
from semblance.core.report import Finding
from semblance.modalities.signal.data import Pieces
from semblance.modalities.signal.metrics.samples import Measured, compared, estimates, rows, too_few
from semblance.modalities.signal.metrics.spectrum import level
from semblance.modalities.signal.metrics.transport import wasserstein

SHIFTS = (-0.06, -0.03, 0.0, 0.03, 0.06)  # shares of a piece by which one lead is moved against the other
BANDS = {"delta": (0.5, 4.0), "theta": (4.0, 8.0), "alpha": (8.0, 13.0), "beta": (13.0, 30.0), "gamma": (30.0, 70.0)}
WINDOWS = 7  # half-overlapping windows of a piece
PAIRS = 91  # of leads that are looked at: all of 14


def pairs(leads: int) -> tuple[np.ndarray, np.ndarray]:
    """The two leads of each pair; evenly chosen ones where there are more than PAIRS."""
    a, b = np.triu_indices(leads, k=1)
    chosen = np.unique(np.linspace(0, len(a) - 1, min(len(a), PAIRS)).astype(int)) if len(a) else np.empty(0, int)
    return a[chosen], b[chosen]


@measures("fidelity.signal_cross_correlation")
def cross_correlation(evidence: Measured) -> tuple[Finding, ...]:
    """Wasserstein's distance between the correlations of leads within synthetic and within holdout pieces; 0 is best.

    For every pair of leads, one moved against the other by up to 6 % of a piece, the correlation within each piece; W1
    between their distributions over pieces, averaged over shifts and pairs. As strict as the usual correlational score
    (Liao et al. 2020) on means, but it sees how pieces differ too.
    """
    metric = "fidelity.signal_cross_correlation"
    if reason := _alone(evidence):
        return (_finding(metric, status="not_applicable", reason=reason),)
    if reason := too_few(evidence):
        return (_finding(metric, status="insufficient", reason=reason),)
    made = compared(evidence, together, _between)
    detail = {"pairs": rows(evidence, _pair_names(evidence), made, within=(0.0, 2.0))}
    return (_finding(metric, **estimates(evidence, made, within=(0.0, 2.0)), detail=detail),)


def _alone(evidence: Measured) -> str:
    return "there is one lead only" if len(evidence.train.leads) < 2 else ""


def _pair_names(evidence: Measured) -> tuple[str, ...]:
    names = [lead.name for lead in evidence.train.leads]
    return tuple(f"{names[a]} {names[b]}" for a, b in zip(*pairs(len(names)), strict=True))


def together(pieces: Pieces) -> np.ndarray:
    """(n, pairs, shifts) correlations of two leads within each piece."""
    waves = level(pieces.waves)
    a, b = pairs(waves.shape[1])
    size = np.sqrt((waves**2).sum(axis=2))
    moved = []
    for shift in (round(share * waves.shape[2]) for share in SHIFTS):
        early, late = waves[:, :, : waves.shape[2] - abs(shift)], waves[:, :, abs(shift) :]
        first, second = (early, late) if shift < 0 else (late, early)
        moved.append(np.einsum("npt,npt->np", first[:, a], second[:, b]))
    made: np.ndarray = np.stack(moved, axis=2) / np.maximum(size[:, a] * size[:, b], np.finfo(float).tiny)[:, :, None]
    return made


def _between(made: np.ndarray, held: np.ndarray) -> np.ndarray:
    """(pairs,) the mean over shifts of W1."""
    flat = wasserstein(made.reshape(len(made), -1), held.reshape(len(held), -1))
    return flat.reshape(made.shape[1:]).mean(axis=1)


@measures("fidelity.signal_coherence")
def coherence(evidence: Measured) -> tuple[Finding, ...]:
    """Mean absolute difference of the coherence of leads in each band of frequencies, from holdout; 0 best, 1 worst.

    Magnitude-squared coherence (Welch 1967; Carter 1987) of each piece over 7 half-overlapping Hann windows, averaged
    over the frequencies of the bands of the EEG (delta below 4 Hz, theta, alpha, beta, gamma from 30 Hz) and over
    pieces. A band that holds no frequency at this rate and length is left out.
    """
    metric = "fidelity.signal_coherence"
    if reason := _alone(evidence):
        return (_finding(metric, status="not_applicable", reason=reason),)
    if reason := too_few(evidence):
        return (_finding(metric, status="insufficient", reason=reason),)
    names = bands(evidence.train)
    if not names:
        return (_finding(metric, status="not_applicable", reason="pieces are too short for any band of frequencies"),)
    made = compared(evidence, coherent, lambda a, b: np.abs(a.mean(axis=0) - b.mean(axis=0)).mean(axis=0))
    detail = {"bands": rows(evidence, tuple(names), made, within=(0.0, 1.0))}
    return (_finding(metric, **estimates(evidence, made, within=(0.0, 1.0)), detail=detail),)


def _window(pieces: Pieces) -> int:
    """Samples of a window: 7 of them, each moved by half, cover a piece."""
    return 2 * pieces.waves.shape[2] // (WINDOWS + 1)


def bands(pieces: Pieces) -> dict[str, np.ndarray]:
    """The frequencies of each band that has any, as positions in a window's spectrum."""
    hertz = np.fft.rfftfreq(_window(pieces), 1 / pieces.rate)
    inside = {name: np.flatnonzero((hertz >= low) & (hertz < high)) for name, (low, high) in BANDS.items()}
    return {name: at for name, at in inside.items() if len(at)}


def coherent(pieces: Pieces) -> np.ndarray:
    """(n, pairs, bands) coherence, 0 to 1."""
    waves, width = level(pieces.waves), _window(pieces)
    cut = np.lib.stride_tricks.sliding_window_view(waves, width, axis=2)[:, :, :: max(width // 2, 1)]
    spectra = np.fft.rfft((cut - cut.mean(axis=3, keepdims=True)) * np.hanning(width), axis=3)
    own = (np.abs(spectra) ** 2).mean(axis=2)
    made = []
    for a, b in zip(*pairs(waves.shape[1]), strict=True):
        cross = np.abs((spectra[:, a] * spectra[:, b].conj()).mean(axis=1)) ** 2
        made.append(cross / np.maximum(own[:, a] * own[:, b], np.finfo(float).tiny))
    shares = np.stack(made, axis=1)
    return np.stack([shares[:, :, at].mean(axis=2) for at in bands(pieces).values()], axis=2)


_finding = Wording(
    {
        "fidelity.signal_cross_correlation": (
            "Correlation of leads",
            "How differently two leads go together in synthetic and in real pieces (0: alike; 2: opposite).",
        ),
        "fidelity.signal_coherence": (
            "Coherence of leads",
            "How differently leads share their rhythms, band by band of the frequencies (0: alike; 1: not at all).",
        ),
    }
)
