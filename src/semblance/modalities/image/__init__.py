"""Images: radiographs, slices, tiles and volumes, with a label and what is known of whose they are."""

from __future__ import annotations

from semblance.core.modality import Modality
from semblance.modalities.image.metrics import METRICS

_HERE = "semblance.modalities.image"

MANIFEST = Modality(
    name="image",
    summary="images and volumes: radiographs, CT, MR, tiles, with a label, from NPZ, PNG, JPEG, TIFF, DICOM or NIfTI",
    suffixes=(".png", ".jpg", ".jpeg", ".tif", ".tiff", ".svs", ".dcm", ".nii", ".nii.gz"),
    folders=True,
    read=f"{_HERE}.read:read",
    declared=f"{_HERE}.public:read",
    private="diffusion",
    audit=f"{_HERE}.audit:audit",
    like=f"{_HERE}.read:like",
    further=f"{_HERE}.read:further",
    write=f"{_HERE}.write:write",
    output=f"{_HERE}.read:output_name",
    embed=f"{_HERE}.embed:embed",
    features=f"{_HERE}.embed:features",
    generators={
        "diffusion": f"{_HERE}.generators.diffusion:Diffusion",
        "vae": f"{_HERE}.generators.vae:Vae",
        "vae_gan": f"{_HERE}.generators.vae_gan:VaeGan",
        "pggan": f"{_HERE}.generators.pggan:PgGan",
        "stylegan": f"{_HERE}.generators.stylegan:StyleGan",
        "dcgan": f"{_HERE}.generators.dcgan:Dcgan",
        "wgan_gp": f"{_HERE}.generators.wgan_gp:WganGp",
        "floor": f"{_HERE}.generators.floor:Floor",
        "med_ddpm": f"{_HERE}.generators.med_ddpm:MedDdpm",
        "pix2pix": f"{_HERE}.generators.pix2pix:Pix2Pix",
        "paired_flow": f"{_HERE}.generators.paired_flow:PairedFlow",
        "cyclegan": f"{_HERE}.generators.cyclegan:CycleGan",
        "cut": f"{_HERE}.generators.cut:Cut",
    },
    default="diffusion",
    floor="floor",
    comparable=f"{_HERE}.measure:comparable",
    judged=f"{_HERE}.halves:judged",
    completed=f"{_HERE}.translated:completed",
    between=f"{_HERE}.between:between",
    pictures=f"{_HERE}.pictures:pictures",
    augmented=f"{_HERE}.augmented:augmented",
    marks=f"{_HERE}.metrics.networks:marks",
    metrics=METRICS,
    readable=False,
    untested={
        "privacy.stretched": "Copies that are stretched, or turned by another angle than a quarter",
        "utility.prompts": "Whether an image shows what its text says",
        "fidelity.fine": "Detail finer than 32 places a side (of volumes 16) in distances by the fixed random bank",
    },
)
