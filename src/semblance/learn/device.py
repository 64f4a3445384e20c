"""Where a network computes: on the processor, or on a GPU, to which its weights, each batch and all noise are moved.

Noise is drawn on the processor, so that a seed means the same noise everywhere. What is saved knows no device.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike

from semblance.core.errors import UsageError

CPU = torch.device("cpu")
NAMES = ("auto", "cpu", "cuda")


def device_named(name: str) -> torch.device:
    """The device of one of NAMES; `auto` is the first GPU of CUDA where there is one. Raises UsageError for any other
    name, and for cuda where none is present."""
    there = torch.cuda.is_available()
    if name not in NAMES or (name == "cuda" and not there):
        raise UsageError.of(
            f"device '{name}'" if name not in NAMES else "device cuda, and PyTorch finds no CUDA here",
            rule="a network computes on the CPU, or on a GPU of NVIDIA that a PyTorch built for CUDA finds",
            fix="leave out the device, or say auto; for a GPU install PyTorch for CUDA, and ask"
            ' `python -c "import torch; print(torch.cuda.is_available())"`',
        )
    return torch.device("cuda", 0) if there and name != "cpu" else CPU


def device_of(net: torch.nn.Module) -> torch.device:
    """Where the weights of a network lie."""
    return next(net.parameters()).device


def beside(net: torch.nn.Module, array: ArrayLike) -> torch.Tensor:
    """An array as a tensor where the weights of a network lie."""
    return torch.from_numpy(np.asarray(array)).to(device_of(net))


def array_of(x: torch.Tensor) -> np.ndarray:
    """The array of a tensor that lies anywhere."""
    made: np.ndarray = x.detach().cpu().numpy()
    return made


def settle(device: torch.device) -> None:
    """Wait until a device has done all that it was told to: until then no clock says how long that takes."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
