"""The gradient of each record, without making it: only its length, and sums of clipped ones.

A layer's gradient of one record is the product of what went in and of what came back, so lengths, weighted sums and
inner products follow from these two (Goodfellow 2015; Bu et al., Differentially Private Optimization on Large Model at
Small Cost, ICML 2023). What that takes beside Opacus and `torch.func` stands in bench/results/clipping.md.

What is not known to keep records apart is refused: a parameter that is used twice, or in any other way than below (as
batch normalisation does, by which every record is in the gradient of every other).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode


@dataclass(frozen=True)
class Use:
    """One use of a parameter: what came out of it, (rows, ...). Each record has the same number of rows, side by side.

    `back` are the gradients at what came out; `times` is how many rows a record has.
    """

    parameter: torch.Tensor
    out: torch.Tensor

    def squares(self, back: torch.Tensor, times: int) -> torch.Tensor:
        """(records,) squared length of each record's gradient."""
        return _of_records(self.each(back), times).square().sum(1)

    def total(self, back: torch.Tensor) -> torch.Tensor:
        """The sum of all gradients, shaped like the parameter."""
        return self.each(back).sum(0)

    def along(self, back: torch.Tensor, direction: torch.Tensor) -> torch.Tensor:
        """(rows,) inner products with a `direction` that is shaped like the parameter."""
        return self.each(back) @ direction

    def each(self, back: torch.Tensor) -> torch.Tensor:
        """(rows, size) gradients, where they are small enough to be made: of what is added to every row."""
        return back


@dataclass(frozen=True)
class Scale(Use):
    """A parameter that multiplies every row `held` (rows, size)."""

    held: torch.Tensor

    def each(self, back: torch.Tensor) -> torch.Tensor:
        """(rows, size) gradients."""
        return back * self.held


@dataclass(frozen=True)
class Product(Use):
    """A matrix (outputs, inputs) that multiplies every row `held` (rows, inputs)."""

    held: torch.Tensor

    def squares(self, back: torch.Tensor, times: int) -> torch.Tensor:
        """(records,) by the inner products of what went in and of what came back, between the rows of a record.

        In double precision where there are several rows: where they nearly cancel, single precision would find the
        length too small, and the gradient would be clipped too little.
        """
        held, back = (_exactly(x, times).reshape(len(x) // times, times, x.shape[1]) for x in (self.held, back))
        found = ((held @ held.transpose(1, 2)) * (back @ back.transpose(1, 2))).sum((1, 2))
        return found.to(self.held.dtype)

    def total(self, back: torch.Tensor) -> torch.Tensor:
        """(outputs, inputs)."""
        return back.T @ self.held

    def along(self, back: torch.Tensor, direction: torch.Tensor) -> torch.Tensor:
        """(rows,)."""
        return ((self.held @ direction.T) * back).sum(1)


@dataclass(frozen=True)
class Shift(Use):
    """A parameter (outputs,) that is added at every place of what came out, (rows, places, outputs) or, where a channel
    comes `first`, (rows, outputs, ...)."""

    first: bool

    def each(self, back: torch.Tensor) -> torch.Tensor:
        """(rows, outputs)."""
        return back.flatten(2).sum(2) if self.first else back.sum(1)


@dataclass(frozen=True)
class Places(Use):
    """A matrix (outputs, inputs) that multiplies what is `held` at every place of a row, (rows, places, inputs).

    A record has one gradient from all places of all its rows, which is made: convolutions have few weights for the
    places that they go to (Bu, Mao & Xu, Scalable and Efficient Training of Large Convolutional Neural Networks with
    Differential Privacy, NeurIPS 2022). Few rows are taken apart at a time, so that they stay near the processor.
    """

    held: torch.Tensor

    def seen(self, held: torch.Tensor, back: torch.Tensor) -> torch.Tensor:
        """(rows, inputs, places) of some rows of what is held and of what came back."""
        return held.transpose(1, 2)

    def told(self, held: torch.Tensor, back: torch.Tensor) -> torch.Tensor:
        """(rows, outputs, places) of the same."""
        return back.transpose(1, 2)

    def few(self, back: torch.Tensor, times: int = 1) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """What is told and what is seen, of all rows of some records at a time."""
        outputs, *inputs = self.parameter.shape
        each = math.prod(back.shape[1:]) // outputs * math.prod(inputs)  # numbers that a row is taken apart into
        some = times * max(1, NEAR // max(times * each, 1))
        for own, came in zip(self.held.split(some), back.split(some), strict=True):
            yield self.told(own, came), self.seen(own, came)

    def squares(self, back: torch.Tensor, times: int) -> torch.Tensor:
        """(records,)."""
        found = [_of_records((told @ seen.transpose(1, 2)).flatten(1), times) for told, seen in self.few(back, times)]
        return torch.cat([each.square().sum(1) for each in found])

    def total(self, back: torch.Tensor) -> torch.Tensor:
        """Shaped like the parameter."""
        found = torch.zeros_like(self.parameter).flatten(1)
        for told, seen in self.few(back):
            found += (told @ seen.transpose(1, 2)).sum(0)
        return found.reshape(self.parameter.shape)

    def along(self, back: torch.Tensor, direction: torch.Tensor) -> torch.Tensor:
        """(rows,)."""
        return torch.cat([((direction.flatten(1) @ seen) * told).sum((1, 2)) for told, seen in self.few(back)])


@dataclass(frozen=True)
class Convolution(Places):
    """A kernel (outputs, inputs, ...) that goes over what is `held`, (rows, inputs, ...) with its padding, by `stride`
    along each axis. What it sees at a place is only taken apart while it is needed."""

    stride: tuple[int, ...]

    def seen(self, held: torch.Tensor, back: torch.Tensor) -> torch.Tensor:
        """(rows, inputs * kernel, places)."""
        x, axes = held, len(self.stride)
        for axis, (size, step) in enumerate(zip(self.parameter.shape[2:], self.stride, strict=True)):
            x = x.unfold(2 + axis, size, step)
        places = math.prod(x.shape[2 : 2 + axes])
        return x.permute(0, 1, *range(2 + axes, x.ndim), *range(2, 2 + axes)).reshape(len(x), -1, places)

    def told(self, held: torch.Tensor, back: torch.Tensor) -> torch.Tensor:
        """(rows, outputs, places)."""
        return back.flatten(2)


@dataclass(frozen=True)
class Transposed(Places):
    """A kernel (inputs, outputs, size) by which what is `held` at every place, (rows, places, inputs), is spread over
    what came out, (rows, outputs, length), by `stride`, less `room` at either end. It is the convolution that leads
    back: what came back stands where others see, and what is held where others are told."""

    stride: int
    room: int

    def seen(self, held: torch.Tensor, back: torch.Tensor) -> torch.Tensor:
        """(rows, outputs * size, places) what came back to each place."""
        size, places = self.parameter.shape[2], held.shape[1]
        end = (places - 1) * self.stride + size - self.room - back.shape[2]
        beneath = functional.pad(back, (self.room, max(end, 0))).unfold(2, size, self.stride)[:, :, :places]
        return beneath.transpose(2, 3).flatten(1, 2)

    def told(self, held: torch.Tensor, back: torch.Tensor) -> torch.Tensor:
        """(rows, inputs, places)."""
        return held.transpose(1, 2)


@dataclass(frozen=True)
class Lookup(Use):
    """A table of which every row is the sum of the entries `at` (rows, entries)."""

    at: torch.Tensor

    def squares(self, back: torch.Tensor, times: int) -> torch.Tensor:
        """(records,) entries that a record looks up twice add their gradients."""
        at = self.at.reshape(len(self.at) // times, times, 1, self.at.shape[1], 1)
        shared = (at == at.reshape(len(at), 1, times, 1, self.at.shape[1])).sum((3, 4))
        dtype, back = back.dtype, _exactly(back, times).reshape(len(at), times, back.shape[1])
        return (shared * (back @ back.transpose(1, 2))).sum((1, 2)).to(dtype)

    def total(self, back: torch.Tensor) -> torch.Tensor:
        """(entries, size)."""
        each = back[:, None].expand(-1, self.at.shape[1], -1).reshape(-1, back.shape[1])
        return torch.zeros_like(self.parameter).index_add_(0, self.at.reshape(-1), each)

    def along(self, back: torch.Tensor, direction: torch.Tensor) -> torch.Tensor:
        """(rows,)."""
        return (functional.embedding_bag(self.at, direction, mode="sum") * back).sum(1)


NEAR = 1 << 20
"""Numbers that are taken apart at a time: some megabytes."""


def _exactly(x: torch.Tensor, times: int) -> torch.Tensor:
    return x if times == 1 else x.double()


@dataclass(frozen=True)
class Gradients:
    """The gradients of (n,) losses of as many records with respect to `parameters`, in this order."""

    parameters: Sequence[torch.Tensor]
    uses: Sequence[Use]
    back: Sequence[torch.Tensor]
    times: int

    @classmethod
    def of(
        cls, loss: Callable[[], torch.Tensor], parameters: Sequence[torch.Tensor], *, records: int, times: int = 1
    ) -> Gradients:
        """Of the losses that `loss` computes of so many records, each of which has `times` rows in the network.

        Raises NotImplementedError where a parameter is used in a way that is not known to keep records apart.
        """
        with _Watch(parameters, records * times) as watch, torch.enable_grad():
            losses = loss()
        outs = [use.out for use in watch.uses]
        back = torch.autograd.grad(losses.sum(), outs, allow_unused=True) if outs else ()
        found = [torch.zeros_like(use.out) if b is None else b for use, b in zip(watch.uses, back, strict=True)]
        return cls(parameters, watch.uses, found, times)

    def lengths(self) -> torch.Tensor:
        """(n,) Euclidean length of each record's gradient over all parameters together."""
        squares = [use.squares(back, self.times) for use, back in zip(self.uses, self.back, strict=True)]
        return torch.stack(squares).sum(0).clamp(min=0).sqrt()

    def sums(self, weights: torch.Tensor) -> list[torch.Tensor]:
        """Of each parameter the sum of the gradients, each times its record's weight (n,); at a weight of 0 whatever
        the gradient is counts as 0."""
        of_rows = weights.repeat_interleave(self.times)
        found = {id(p): torch.zeros_like(p) for p in self.parameters}
        for use, back in self._kept(weights > 0):
            found[id(use.parameter)] = use.total(back * _beside(of_rows, back))
        return [found[id(p)] for p in self.parameters]

    def along(self, directions: Sequence[torch.Tensor]) -> torch.Tensor:
        """(n,) inner product of each record's gradient with `directions`, one for each parameter."""
        of = {id(p): direction for p, direction in zip(self.parameters, directions, strict=True)}
        rows = [use.along(b, of[id(use.parameter)]) for use, b in zip(self.uses, self.back, strict=True)]
        return _of_records(torch.stack(rows).sum(0)[:, None], self.times)[:, 0]

    def _kept(self, kept: torch.Tensor) -> Iterator[tuple[Use, torch.Tensor]]:
        """The uses; where a record is not `kept`, nothing of it, as a number that is none times zero is none."""
        every = bool(kept.all())
        rows = kept.repeat_interleave(self.times)
        for use, back in zip(self.uses, self.back, strict=True):
            if every:
                yield use, back
            elif isinstance(use, Scale | Product | Places):
                held = torch.where(_beside(rows, use.held), use.held, 0.0)
                yield replace(use, held=held), torch.where(_beside(rows, back), back, 0.0)
            else:
                yield use, torch.where(_beside(rows, back), back, 0.0)


def _of_records(rows: torch.Tensor, times: int) -> torch.Tensor:
    """(records, size) sums of the rows of each record."""
    return rows if times == 1 else rows.reshape(len(rows) // times, times, rows.shape[1]).sum(1)


def _beside(rows: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """(rows,) numbers as they stand beside the rows of `x`."""
    return rows.reshape(-1, *[1] * (x.ndim - 1))


class _Watch(TorchFunctionMode):
    """Sees every call of torch, and notes those in which a parameter stands."""

    def __init__(self, parameters: Iterable[torch.Tensor], rows: int) -> None:
        super().__init__()
        self.parameters, self.rows, self.uses = {id(p): p for p in parameters}, rows, list[Use]()

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        told = {} if kwargs is None else kwargs
        held = [x for x in _tensors((*args, *told.values())) if id(x) in self.parameters]
        if not held or func in HARMLESS:
            return func(*args, **told)
        how = HOW.get(func)
        if how is None or any(use.parameter is p for use in self.uses for p in held):
            raise NotImplementedError(
                f"{getattr(func, '__name__', func)} uses a parameter {'twice' if how else UNKNOWN}"
            )
        return how(self, *args, **told)

    def linear(self, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        """x W' + b."""
        out = _followed(functional.linear(x, weight.detach(), None if bias is None else bias.detach()))
        whole = x.ndim == 3  # places of a row
        self._note(weight, (Places if whole else Product)(weight, out, x.detach()))
        if bias is not None:
            self._note(bias, Shift(bias, out, first=False) if whole else Use(bias, out))
        return out

    def convolution(
        self,
        x: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None = None,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
    ) -> torch.Tensor:
        """A kernel that goes over an image of any number of axes."""
        axes = weight.ndim - 2
        steps, room, wide = ((n,) * axes if isinstance(n, int) else tuple(n) for n in (stride, padding, dilation))
        if groups != 1 or set(wide) != {1}:
            raise NotImplementedError(f"a convolution uses a parameter {UNKNOWN}")
        x = functional.pad(x, [n for own in reversed(room) for n in (own, own)])
        plain = None if bias is None else bias.detach()
        out = _followed(CONVOLVED[axes](x, weight.detach(), plain, steps))
        self._note(weight, Convolution(weight, out, x.detach(), steps))
        if bias is not None:
            self._note(bias, Shift(bias, out, first=True))
        return out

    def spreading(
        self,
        x: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None = None,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        dilation: Any = 1,
    ) -> torch.Tensor:
        """A kernel by which every place of a series is spread over a longer one."""
        told = (stride, padding, output_padding, dilation)
        step, room, more, wide = (n if isinstance(n, int) else n[0] for n in told)
        if groups != 1 or wide != 1:
            raise NotImplementedError(f"a transposed convolution uses a parameter {UNKNOWN}")
        plain = None if bias is None else bias.detach()
        out = _followed(torch.conv_transpose1d(x, weight.detach(), plain, step, room, more))
        self._note(weight, Transposed(weight, out, x.detach().transpose(1, 2), step, room))
        if bias is not None:
            self._note(bias, Shift(bias, out, first=True))
        return out

    def embedding_bag(self, rows: torch.Tensor, weight: torch.Tensor, *, mode: str, **rest: Any) -> torch.Tensor:
        """Sums of entries of a table."""
        if mode != "sum" or any(value not in (None, False, 2.0) for value in rest.values()):
            raise NotImplementedError(f"embedding_bag uses a parameter {UNKNOWN}")
        out = _followed(functional.embedding_bag(rows, weight.detach(), mode="sum"))
        self._note(weight, Lookup(weight, out, rows))
        return out

    def entries(self, table: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        """Entries of a table, one for each row."""
        if not isinstance(at, torch.Tensor) or at.dtype != torch.int64 or at.ndim != 1:
            raise NotImplementedError(f"an index uses a parameter {UNKNOWN}")
        out = _followed(table.detach()[at])
        self._note(table, Lookup(table, out, at[:, None]))
        return out

    def layer_norm(
        self, x: torch.Tensor, shape: Sequence[int], weight: torch.Tensor, bias: torch.Tensor, eps: float = 1e-5
    ) -> torch.Tensor:
        """Each row alone brought to mean 0 and variance 1, then scaled and moved."""
        plain = functional.layer_norm(x, shape, None, None, eps)
        out = _followed(plain * weight.detach() + bias.detach())
        self._note(weight, Scale(weight, out, plain.detach()))
        self._note(bias, Use(bias, out))
        return out

    def clamp(self, parameter: torch.Tensor, *args: Any, **told: Any) -> torch.Tensor:
        """One number for each column, kept within bounds: the same in every row."""
        if parameter.ndim != 1:
            raise NotImplementedError(f"clamp uses a parameter {UNKNOWN}")
        every = _followed(parameter.detach().repeat(self.rows, 1))
        self._note(parameter, Use(parameter, every))
        return every.clamp(*args, **told)

    def _note(self, parameter: torch.Tensor, use: Use) -> None:
        if (use.out.ndim != 2 and not isinstance(use, Places | Shift)) or len(use.out) != self.rows:
            raise NotImplementedError(
                f"a layer made {tuple(use.out.shape)} of {self.rows} rows: it uses a parameter {UNKNOWN}"
            )
        if id(parameter) in self.parameters:
            self.uses.append(use)


def _followed(out: torch.Tensor) -> torch.Tensor:
    """The same, where the gradient at it can be asked for."""
    return out if out.requires_grad else out.detach().requires_grad_()


def _tensors(given: Iterable[Any]) -> Iterator[torch.Tensor]:
    for x in given:
        if isinstance(x, torch.Tensor):
            yield x
        elif isinstance(x, list | tuple):
            yield from _tensors(x)
        elif isinstance(x, dict):
            yield from _tensors(x.values())


UNKNOWN = "in a way that is not known to keep the gradient of one record apart from those of others"
HARMLESS = {
    torch.Tensor.detach,
    torch.Tensor.size,
    torch.Tensor.dim,
    torch.Tensor.__len__,
    torch.Tensor.requires_grad.__get__,  # type: ignore[attr-defined]
    torch.Tensor.shape.__get__,  # type: ignore[attr-defined]
    torch.Tensor.ndim.__get__,  # type: ignore[attr-defined]
}
"""What may be asked of a parameter: nothing of its value is used, or no gradient goes through it."""
CONVOLVED: dict[int, Callable[..., torch.Tensor]] = {1: torch.conv1d, 2: torch.conv2d, 3: torch.conv3d}
HOW: dict[Any, Callable[..., torch.Tensor]] = {
    functional.linear: _Watch.linear,
    functional.embedding_bag: _Watch.embedding_bag,
    functional.layer_norm: _Watch.layer_norm,
    torch.Tensor.__getitem__: _Watch.entries,
    torch.Tensor.clamp: _Watch.clamp,
    **dict.fromkeys(CONVOLVED.values(), _Watch.convolution),
    torch.conv_transpose1d: _Watch.spreading,
}
