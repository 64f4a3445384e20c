"""To be imported before denoising-diffusion-pytorch, which imports torchvision for folders of files and for grids.

Neither is needed, and no package registry has a torchvision for a torch without GPUs.
"""

from __future__ import annotations

from without import leave_out

leave_out("torchvision")
