"""Networks of others that learn images: MONAI's DDPM (the network and schedule of its tutorials; Apache-2.0),
denoising-diffusion-pytorch (MIT) and a plain DCGAN (Radford et al., ICLR 2016), all told the label.

They know no clock: each takes steps of its own size until the time is over, that of a processor, or with CUDA that of
the clock. Images come as one array between 0 and 1 and go as such; sides of theirs are multiples of 32, so smaller ones
are padded by their edge, and cut again.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchvision_without  # noqa: F401
from judging import peak
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, mse_loss, pad

SIDE, TOGETHER = 32, 64
STEPS = 25  # of a sample, by DDIM: their default of 250 to 1,000 would take hours
LATENT = 100

Sample = Callable[[torch.Tensor], torch.Tensor]


def main() -> None:
    """Read the job, learn until the time is over, draw, write."""
    job = json.loads(Path(sys.argv[1]).read_text())
    with np.load(job["train"], allow_pickle=False) as held:
        arrays = {name: torch.from_numpy(held[name]).to(job["device"]) for name in ("images", "labels", "wanted")}
    images, labels, wanted = arrays.values()
    if job["device"] != "cpu":
        torch.set_default_device(job["device"])  # their networks, and all that is drawn
    torch.manual_seed(job["seed"])
    size = images.shape[2:]
    room = [n for side in reversed(size) for n in ((-side % SIDE) // 2, -side % SIDE - (-side % SIDE) // 2)]
    whole, out = pad(images, room, mode="replicate"), Path(job["out"])
    out.with_suffix(".begun").touch()
    begun = now()
    end = clock(whole)() + job["time_budget"]
    sample = PARTS[job["part"]](whole, labels, int(labels.max()) + 1, end)
    fitted = now()
    with torch.no_grad():
        made = torch.cat([sample(some) for some in wanted.split(TOGETHER)])
    done = now()
    top, left = room[2], room[0]
    made = made[:, :, top : top + size[0], left : left + size[1]].clamp(0, 1)
    np.savez(out, images=made.cpu().numpy().astype(np.float32), labels=wanted.cpu().numpy())
    answer = {"fit": fitted[0] - begun[0], "cpu": fitted[1] - begun[1], "sample": done[0] - fitted[0], "peak": peak()}
    out.with_suffix(".json").write_text(json.dumps({**answer, "sample_cpu": done[1] - fitted[1]}))


def clock(images: torch.Tensor) -> Callable[[], float]:
    """What tells the seconds of a budget."""
    return time.perf_counter if images.is_cuda else time.process_time


def batches(images: torch.Tensor, labels: torch.Tensor, size: int, end: float) -> Iterator[tuple[torch.Tensor, ...]]:
    """Random ones until the seconds are over."""
    while clock(images)() < end:
        rows = torch.randint(len(images), (size,))
        yield images[rows], labels[rows]


def monai_ddpm(images: torch.Tensor, labels: torch.Tensor, kinds: int, end: float) -> Sample:
    """MONAI's DiffusionModelUNet as in its tutorial of 2-D DDPM, with attention at the two coarser grids, one residual
    block and 1,000 noises; with a quarter of its channels, a learning rate of 1e-3 and 32 images a step, since its own
    (128, 256 and 256 channels, 2.5e-5, 128 images) take 40 steps in ten minutes of one processor. Images lie between
    -1 and 1, where its sampler cuts them: between 0 and 1, as in the tutorial, they come out black after ten minutes.
    """
    from monai.networks.nets import DiffusionModelUNet
    from monai.networks.schedulers import DDIMScheduler, DDPMScheduler

    net = DiffusionModelUNet(
        spatial_dims=2,
        in_channels=images.shape[1],
        out_channels=images.shape[1],
        channels=(32, 64, 64),
        attention_levels=(False, True, True),
        num_res_blocks=1,
        num_head_channels=64,
        num_class_embeds=kinds,
    )
    noisy, optimizer = DDPMScheduler(num_train_timesteps=1000), torch.optim.Adam(net.parameters(), lr=1e-3)
    for x, label in batches(2 * images - 1, labels, 32, end):
        optimizer.zero_grad(set_to_none=True)
        noise, times = torch.randn_like(x), torch.randint(0, 1000, (len(x),))
        found = net(noisy.add_noise(x, noise, times), timesteps=times, class_labels=label)
        mse_loss(found, noise).backward()
        optimizer.step()
    net.eval()
    falling = DDIMScheduler(num_train_timesteps=1000)
    falling.set_timesteps(STEPS)

    def sample(label: torch.Tensor) -> torch.Tensor:
        x = torch.randn((len(label), *images.shape[1:]))
        for at in falling.timesteps:
            found = net(x, timesteps=torch.full((len(x),), int(at)), class_labels=label)
            x, _ = falling.step(found, int(at), x)
        return (x + 1) / 2

    return sample


def denoising_diffusion(images: torch.Tensor, labels: torch.Tensor, kinds: int, end: float) -> Sample:
    """The class-conditional U-Net and diffusion of denoising-diffusion-pytorch, a quarter as wide as in its
    example, which would draw one image in two seconds."""
    from denoising_diffusion_pytorch.classifier_free_guidance import GaussianDiffusion, Unet

    net = Unet(dim=16, dim_mults=(1, 2, 4), num_classes=kinds, channels=images.shape[1], cond_drop_prob=0.1)
    whole = GaussianDiffusion(net, image_size=images.shape[2], timesteps=1000, sampling_timesteps=STEPS)
    optimizer = torch.optim.Adam(whole.parameters(), lr=1e-3, betas=(0.9, 0.99))
    for x, label in batches(images, labels, 32, end):
        optimizer.zero_grad(set_to_none=True)
        whole(x, classes=label).backward()
        optimizer.step()
    whole.eval()
    # At a scale of exactly 1 this release returns one tensor where it awaits two.
    return lambda label: whole.sample(classes=label, cond_scale=1 + 1e-6, rescaled_phi=0.0)


def dcgan(images: torch.Tensor, labels: torch.Tensor, kinds: int, end: float) -> Sample:
    """Transposed convolutions against convolutions, batch normalisation, Adam at 2e-4 with a first moment of .5; the
    label joins the noise, and the image as further channels (Mirza & Osindero, 2014)."""
    channels, halvings, width = images.shape[1], int(np.log2(images.shape[2] // 4)), 64
    widths = [width * 2**i for i in range(halvings)]
    layers: list[nn.Module] = [nn.ConvTranspose2d(LATENT + kinds, widths[-1], 4), nn.BatchNorm2d(widths[-1]), nn.ReLU()]
    for a, b in pairwise(widths[::-1]):
        layers += [nn.ConvTranspose2d(a, b, 4, 2, 1), nn.BatchNorm2d(b), nn.ReLU()]
    maker = nn.Sequential(*layers, nn.ConvTranspose2d(widths[0], channels, 4, 2, 1), nn.Tanh())
    seen: list[nn.Module] = [nn.Conv2d(channels + kinds, widths[0], 4, 2, 1), nn.LeakyReLU(0.2)]
    for a, b in pairwise(widths):
        seen += [nn.Conv2d(a, b, 4, 2, 1), nn.BatchNorm2d(b), nn.LeakyReLU(0.2)]
    critic = nn.Sequential(*seen, nn.Conv2d(widths[-1], 1, 4), nn.Flatten(0))
    for layer in (*maker, *critic):
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0, 0.02)
    makers, critics = (torch.optim.Adam(net.parameters(), lr=2e-4, betas=(0.5, 0.999)) for net in (maker, critic))

    def told(label: torch.Tensor) -> torch.Tensor:
        return nn.functional.one_hot(label, kinds).float()[:, :, None, None]

    def made(label: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = maker(torch.cat([torch.randn(len(label), LATENT, 1, 1), told(label)], 1))
        return found

    def score(x: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        beside = told(label).expand(-1, -1, *x.shape[2:])
        found: torch.Tensor = critic(torch.cat([x, beside], 1))
        return found

    for x, label in batches(2 * images - 1, labels, 64, end):
        fake = made(label)
        critics.zero_grad()
        real, other = score(x, label), score(fake.detach(), label)
        lost = binary_cross_entropy_with_logits(real, torch.ones_like(real))
        (lost + binary_cross_entropy_with_logits(other, torch.zeros_like(other))).backward()
        critics.step()
        makers.zero_grad()
        again = score(fake, label)
        binary_cross_entropy_with_logits(again, torch.ones_like(again)).backward()
        makers.step()
    maker.eval()
    return lambda label: (made(label) + 1) / 2


def now() -> tuple[float, float]:
    """Seconds of the clock and of processors, when all is done that a GPU was told to do."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()
    return time.perf_counter(), time.process_time()


PARTS: dict[str, Any] = {"monai_ddpm": monai_ddpm, "denoising_diffusion": denoising_diffusion, "dcgan": dcgan}

if __name__ == "__main__":
    main()
