"""Generators of images that learn and draw on the processor or on a GPU."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self

import torch

from semblance.learn.device import device_named
from semblance.modalities.image.generators.completing import CompletingModel
from semblance.modalities.image.generators.network import NetworkSpec
from semblance.modalities.image.generators.painter import ImageModel


@dataclass(frozen=True)
class OnDevice(NetworkSpec):
    """A network that has a choice of devices. Raises UsageError, before anything is read, for one that is not there."""

    device: str = "cpu"
    """Where it learns and draws: cpu, cuda, or auto, which is cuda where there is one."""

    def __post_init__(self) -> None:
        device_named(self.device)

    @property
    def place(self) -> torch.device:
        """The device of that name."""
        return device_named(self.device)

    @property
    def kept(self) -> dict[str, Any]:
        """The options that a model keeps: on which machine it was learned says nothing about it."""
        return {name: value for name, value in asdict(self).items() if name != "device"}

    @classmethod
    def model(cls) -> type[ImageModel]:
        """It also completes images, and draws on any device."""
        return DeviceModel


@dataclass(frozen=True, eq=False)
class DeviceModel(CompletingModel):
    """A fitted generator that draws where it learned, or, loaded, on the processor, until it is told where."""

    def on(self, device: str) -> Self:
        """The same model, which draws on cpu, cuda or auto from now on. Raises UsageError where that is not there."""
        learned: Any = self.learned
        learned.on(device_named(device))
        return self
