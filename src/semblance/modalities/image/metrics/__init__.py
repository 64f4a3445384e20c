"""What only images can be measured by: one file per idea, and METRICS for the manifest."""

_HERE = "semblance.modalities.image.metrics"

METRICS = (
    "semblance.evaluate.fidelity.margins:margins",
    f"{_HERE}.labels:label_mix",
    f"{_HERE}.frechet:frechet",
    f"{_HERE}.frechet:kernel",
    f"{_HERE}.networks:from_files",
    f"{_HERE}.similarity:similarity",
    f"{_HERE}.variety:variety",
    f"{_HERE}.spectrum:power_spectrum",
    f"{_HERE}.histogram:histogram",
    "semblance.evaluate.utility.few:few",
    f"{_HERE}.translation:translation",
    f"{_HERE}.lesions:lesions",
    f"{_HERE}.segmentation:segmentation",
    f"{_HERE}.segmentation:gain",
    f"{_HERE}.copies:copies",
    f"{_HERE}.copies:unique_copies",
    f"{_HERE}.copies:equal_images",
)
"""The judges of images, for the manifest. Importing this is light."""
