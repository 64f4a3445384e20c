"""The demonstration: a real cohort that comes with scikit-survival, from end to end.

FLChain (Dispenzieri et al., Mayo Clinic Proceedings 2012): serum free light chains and survival of 7,874 residents of
Olmsted County. `chapter`, the cause of death, is left out: it gives the target `death` away.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from semblance.app.events import Show
from semblance.app.options import SynthOptions
from semblance.app.outcome import Outcome
from semblance.app.pipeline import run_synth
from semblance.app.work import free_name, work_of
from semblance.core.need import need

if TYPE_CHECKING:
    import pandas as pd

FOLDER = Path("semblance-demo")
SECONDS = 20.0
DECLARED = {"columns": {"futime": {"role": "time"}}}  # days to death or to the end of follow-up


def run_demo(output: Path | None, *, show: Show) -> Outcome:
    """Run the whole flow on FLChain, or take up what was interrupted.

    Without `output`, an unfinished demonstration or a new folder beside earlier ones.
    """
    run = free_name(FOLDER, resume=True) if output is None else output
    unfinished = work_of(run.resolve()).exists()
    with TemporaryDirectory(prefix="semblance-") as folder:
        path = Path(folder) / "flchain.csv"
        cohort().to_csv(path, index=False)
        options = SynthOptions(
            paths=(str(path),),
            run=run,
            target="death",
            declared=DECLARED,
            time_budget=SECONDS,
            yes=True,
            resume=unfinished,
        )
        return run_synth(options, show=show, kind="demo")


def cohort() -> pd.DataFrame:
    """FLChain, one row per patient: age, sex, sample.yr, kappa, lambda, flc.grp, creatinine, mgus, death, futime."""
    datasets = need("sksurv.datasets", extra="demo", why="the demonstration")
    covariates, outcome = datasets.load_flchain()
    frame: pd.DataFrame = covariates.drop(columns="chapter")
    return frame.assign(death=outcome["death"], futime=outcome["futime"].astype(int))
