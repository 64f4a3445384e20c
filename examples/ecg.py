"""Writes a simulated cohort: `ecg/`, 40 WFDB recordings of two leads with annotated beats, age and sex.

Every patient is a sum of Gaussian waves of their own (after McSharry et al., IEEE Trans. Biomed. Eng. 2003); some have
early beats, supraventricular (A) or ventricular (V). No real patient stands behind any of it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import wfdb

RATE, SECONDS, PATIENTS = 250, 60, 40
NORMAL = np.array([[0.12, -0.1, 1.1, -0.25, 0.3], [0.06, 0.0, 0.25, -0.95, -0.1]])  # P, Q, R, S, T of leads II and V1
WIDE = np.array([[0.0, -0.15, 1.4, -0.6, -0.5], [0.0, 0.1, 1.0, -0.6, -0.4]])
AT, WIDTH = np.array([-0.17, -0.035, 0.0, 0.032, 0.29]), np.array([0.025, 0.011, 0.012, 0.011, 0.055])


def rhythm(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Seconds of the R peaks, and the symbol of each beat."""
    pace, early = rng.normal(0.85, 0.1), rng.choice([0.0, 0.08, 0.2], p=[0.4, 0.4, 0.2])
    kind = rng.choice(["A", "V"])
    at, symbols = [0.8], ["N"]
    while at[-1] < SECONDS - 2:
        symbol = kind if symbols[-1] == "N" and rng.random() < early else "N"
        gap = pace * (0.65 if symbol != "N" else 1.3 if symbols[-1] == "V" else 1.0)
        at.append(at[-1] + gap * (1 + 0.03 * np.sin(1.6 * at[-1]) + rng.normal(0, 0.01)))
        symbols.append(symbol)
    return np.array(at), np.array(symbols)


def wave(at: np.ndarray, symbols: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(samples, 2) millivolts."""
    clock = np.arange(RATE * SECONDS) / RATE
    own, wide = NORMAL * rng.lognormal(0, 0.2, NORMAL.shape), WIDE * rng.lognormal(0, 0.2, WIDE.shape)
    made = 0.05 * np.sin(0.5 * clock + rng.uniform(0, 6))[:, None] + rng.normal(0, 0.012, (len(clock), 2))
    for peak, symbol in zip(at, symbols, strict=True):
        heights, spread = (wide, 3 * WIDTH) if symbol == "V" else (own, WIDTH)
        near = np.abs(clock - peak) < 0.7
        bells = np.exp(-0.5 * ((clock[near, None] - peak - AT) / spread) ** 2)
        made[near] += bells @ heights.T
    return made


def main() -> None:
    """Write the folder."""
    folder = Path("ecg")
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    for i in range(PATIENTS):
        at, symbols = rhythm(rng)
        told = {"units": ["mV", "mV"], "sig_name": ["II", "V1"], "fmt": ["16", "16"], "write_dir": str(folder)}
        comments = [f"age: {int(rng.integers(30, 85))}", f"sex: {rng.choice(['female', 'male'])}"]
        wfdb.wrsamp(f"p{i:03d}", RATE, p_signal=wave(at, symbols, rng), comments=comments, **told)
        wfdb.wrann(f"p{i:03d}", "atr", np.round(at * RATE).astype(int), list(symbols), write_dir=str(folder))


if __name__ == "__main__":
    main()
