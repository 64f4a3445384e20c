"""What a wave is made of: its power at each frequency, and how it resembles itself some time later."""

from __future__ import annotations

from functools import partial

import numpy as np

from semblance.core.judge import Wording, measures
from semblance.core.report import Finding
from semblance.modalities.signal.data import Pieces
from semblance.modalities.signal.metrics.samples import Measured, compared, estimates, rows, samples, too_few

LAGS = 0.5  # share of a piece up to which it is compared with itself
FAINT = 1e-8  # share of the total power that counts as none
DRAWN = 64  # frequencies of the picture


def level(waves: np.ndarray) -> np.ndarray:
    """(n, leads, samples) in double precision, around the mean of each wave; missing samples lie on it."""
    known = ~np.isnan(waves)
    centre = np.where(known, waves, 0).sum(axis=2, keepdims=True) / np.maximum(known.sum(axis=2, keepdims=True), 1)
    return np.where(known, waves - centre, 0.0)


def power(pieces: Pieces) -> np.ndarray:
    """(n, leads, frequencies) periodograms under Hann's window, without the constant."""
    waves = level(pieces.waves) * np.hanning(pieces.waves.shape[2])
    made: np.ndarray = np.abs(np.fft.rfft(waves, axis=2))[:, :, 1:] ** 2
    return made


def decibels(power: np.ndarray, faint: np.ndarray | float = 0.0) -> np.ndarray:
    """(leads, frequencies) the mean power of (n, leads, frequencies), in decibels."""
    return 10 * np.log10(np.maximum(power.mean(axis=0), np.maximum(faint, 1e-300)))


@measures("fidelity.signal_spectrum")
def power_spectrum(evidence: Measured) -> tuple[Finding, ...]:
    """Log-spectral distance in decibels between the mean power spectra of synthetic and holdout pieces; 0 is best.

    The root mean square over all frequencies up to half the rate of the difference of the spectra in decibels (Gray and
    Markel 1976), averaged over leads. Every decade of power counts alike, so that missing noise is seen as well as a
    missing wave. `detail["curves"]` draws both spectra.
    """
    if reason := too_few(evidence):
        return (_finding("fidelity.signal_spectrum", status="insufficient", reason=reason),)
    faint = FAINT * power(samples(evidence)["train"].pieces).mean(axis=0).sum(axis=1, keepdims=True)
    made = compared(evidence, power, partial(spectral_distance, faint=faint))
    names = tuple(lead.name for lead in evidence.train.leads)
    detail = {"leads": rows(evidence, names, made), "curves": _curves(evidence, faint)}
    return (_finding("fidelity.signal_spectrum", **estimates(evidence, made), detail=detail),)


def spectral_distance(made: np.ndarray, held: np.ndarray, *, faint: np.ndarray | float = 0.0) -> np.ndarray:
    """(leads,) decibels."""
    gap: np.ndarray = np.sqrt(((decibels(made, faint) - decibels(held, faint)) ** 2).mean(axis=1))
    return gap


def _curves(evidence: Measured, faint: np.ndarray) -> dict[str, list[float]]:
    """The spectra of the first lead, for a picture: means over all patients."""
    drawn, length = samples(evidence), evidence.train.waves.shape[2]
    shown = np.unique(np.linspace(0, length // 2 - 1, DRAWN).astype(int))
    hertz = {"hertz": np.round(np.fft.rfftfreq(length, 1 / evidence.train.rate)[1:][shown], 3).tolist()}
    spectra = {part: decibels(power(drawn[part].pieces), faint)[0, shown] for part in ("synthetic", "holdout")}
    return {**hertz, **{part: np.round(one, 2).tolist() for part, one in spectra.items()}}


@measures("fidelity.signal_autocorrelation")
def autocorrelation(evidence: Measured) -> tuple[Finding, ...]:
    """Mean absolute difference of the mean autocorrelation of synthetic and holdout pieces; 0 is best, 2 the worst.

    Lags up to half a piece, each lead by itself (Ni et al. 2020).
    """
    if reason := too_few(evidence):
        return (_finding("fidelity.signal_autocorrelation", status="insufficient", reason=reason),)
    made = compared(evidence, correlated, lambda a, b: np.abs(a.mean(axis=0) - b.mean(axis=0)).mean(axis=1))
    detail = {"leads": rows(evidence, tuple(lead.name for lead in evidence.train.leads), made, within=(0.0, 2.0))}
    return (_finding("fidelity.signal_autocorrelation", **estimates(evidence, made, within=(0.0, 2.0)), detail=detail),)


def correlated(pieces: Pieces) -> np.ndarray:
    """(n, leads, lags) the correlation of each wave with itself at lags 1, 2, ... over its variance at lag 0."""
    waves = level(pieces.waves)
    length = waves.shape[2]
    turned = np.fft.irfft(np.abs(np.fft.rfft(waves, n=2 * length, axis=2)) ** 2, axis=2)
    whole = np.maximum(turned[:, :, :1], np.finfo(float).tiny)
    made: np.ndarray = turned[:, :, 1 : max(int(LAGS * length), 2)] / whole
    return made


_finding = Wording(
    {
        "fidelity.signal_spectrum": (
            "Power spectrum",
            "How far the power of synthetic waves is from that of real ones, over all frequencies, in decibels (0: "
            "alike; 3: twice or half the power; 10: ten times more or less).",
        ),
        "fidelity.signal_autocorrelation": (
            "Autocorrelation",
            "How differently synthetic and real waves resemble themselves some time later (0: alike; 2: opposite).",
        ),
    }
)
