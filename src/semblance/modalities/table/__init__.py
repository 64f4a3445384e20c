"""Tables: one row per patient, or per visit of a patient, with columns of any kind."""

from __future__ import annotations

from semblance.core.modality import Modality

_HERE = "semblance.modalities.table"

MANIFEST = Modality(
    name="table",
    summary="EHR tables: numbers, categories, dates and codes, one or several rows per patient",
    suffixes=(".csv", ".csv.gz", ".zip", ".parquet", ".feather", ".xlsx"),
    read=f"{_HERE}.data:read",
    like=f"{_HERE}.data:like",
    write=f"{_HERE}.data:write",
    output=f"{_HERE}.data:output_name",
    embed=f"{_HERE}.embed:embed",
    features=f"{_HERE}.embed:features",
    generators={
        "auto": f"{_HERE}.generators.auto:Auto",
        "autoregressive": f"{_HERE}.generators.autoregressive:Autoregressive",
        "mixture": f"{_HERE}.generators.mixture:Mixture",
        "forest": f"{_HERE}.generators.forest:Forest",
        "hazards": f"{_HERE}.generators.hazards:Hazards",
        "diffusion": f"{_HERE}.generators.diffusion:Diffusion",
        "vae": f"{_HERE}.generators.vae:Vae",
        "ctgan": f"{_HERE}.generators.ctgan:Ctgan",
        "adsgan": f"{_HERE}.generators.adsgan:AdsGan",
        "wgan_gp": f"{_HERE}.generators.wgan_gp:WganGp",
        "cgan": f"{_HERE}.generators.cgan:CGan",
        "medgan": f"{_HERE}.generators.medgan:MedGan",
        "rbm": f"{_HERE}.generators.rbm:Rbm",
        "dbn": f"{_HERE}.generators.dbn:Dbn",
        "smote": f"{_HERE}.generators.smote:Smote",
        "ctgan+smote": f"{_HERE}.generators.ctgan_smote:CtganSmote",
        "copula": f"{_HERE}.generators.copula:Copula",
        "marginals": f"{_HERE}.generators.marginals:Marginals",
    },
    default="autoregressive",
    floor="marginals",
    metrics=(
        f"{_HERE}.metrics.columns:shape",
        f"{_HERE}.metrics.columns:wasserstein",
        f"{_HERE}.metrics.columns:hellinger",
        f"{_HERE}.metrics.missing:missing",
        f"{_HERE}.metrics.pairs:pairs",
        f"{_HERE}.metrics.pairs:triples",
        f"{_HERE}.metrics.correlation:correlation",
        f"{_HERE}.metrics.rare:categories",
        f"{_HERE}.metrics.tails:tails",
        f"{_HERE}.metrics.visits:longitudinal",
        f"{_HERE}.metrics.validity:constraints",
        f"{_HERE}.metrics.validity:duplicates",
        f"{_HERE}.copies:copies",
    ),
    apart=f"{_HERE}.patients:apart",
    comparable=f"{_HERE}.units:comparable",
    fewest=f"{_HERE}.patients:fewest",
    sound=f"{_HERE}.sound:sound",
    graph=f"{_HERE}.explain:graph",
    explain=f"{_HERE}.explain:explain",
)
