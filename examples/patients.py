"""Write patients.csv: 1,500 simulated patients to try the commands of the documentation on. No real person is in it.

python examples/patients.py [ROWS]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd


def patients(rows: int) -> pd.DataFrame:
    """Age drives creatinine, both drive death, and creatinine is measured more often in the sick."""
    rng = np.random.default_rng(0)
    age = np.clip(rng.normal(66, 12, rows), 18, 99).round().astype(int)
    creatinine = np.exp(0.012 * (age - 66) + rng.normal(0, 0.3, rows)).round(2)
    died = rng.random(rows) < 1 / (1 + np.exp(-(0.12 * (age - 66) + 2.5 * (creatinine - 1) - 0.5)))
    cardiac = rng.random(rows) < np.where(died, 0.7, 0.25)
    measured = rng.random(rows) < np.where(died, 0.97, 0.75)
    return pd.DataFrame(
        {
            "pid": [f"P{i:05d}" for i in range(rows)],
            "age": age,
            "sex": rng.choice(["F", "M"], rows),
            "creatinine": np.where(measured, creatinine, np.nan),
            "stage": rng.choice(["I", "II", "III"], rows, p=[0.5, 0.3, 0.2]),
            "diagnosis": np.where(cardiac, rng.choice(["I50.1", "N18.3"], rows), rng.choice(["I10", "E11.9"], rows)),
            "admitted": (pd.Timestamp("2018-01-01") + pd.to_timedelta(rng.integers(0, 1500, rows), "D")).strftime("%F"),
            "died": died.astype(int),
        }
    )


if __name__ == "__main__":
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1500
    patients(rows).to_csv(Path("patients.csv"), index=False)
