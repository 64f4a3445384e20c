"""The judge: runs every metric and attack of a modality and writes a Report. It knows no modality by name."""
