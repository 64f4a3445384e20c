"""A device that is not the processor, on any machine: torch's `meta`, whose tensors have shapes and no numbers.

Like CUDA it takes no part in what lies on the processor, and here no tensor may be forgotten there. Whatever is read of
it is ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.fx.experimental import _config
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

ELSEWHERE = torch.device("meta")
MOVES = {torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default}
READ = {torch.ops.aten._local_scalar_dense.default, torch.ops.aten.item.default}
STEP = {torch.ops.aten._fused_adamw_.default}


class Forgotten(AssertionError):
    """A tensor of one device among those of another."""


class _Strict(TorchDispatchMode):
    """Refuses every operation between devices but moves, and reads ones; `seen` counts what ran elsewhere."""

    seen = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = kwargs or {}
        tensors = [x for x in tree_leaves((args, given)) if isinstance(x, torch.Tensor)]
        places = {x.device.type for x in tensors if x.ndim or x.device == ELSEWHERE}
        if len(places) > 1 and func not in MOVES:
            raise Forgotten(f"{func} between {sorted(places)}")
        if places != {"meta"}:
            return func(*args, **given)
        self.seen += 1
        if func in READ:
            return 1.0
        if func in STEP:
            return None
        if func in MOVES and torch.device(given.get("device") or args[0].device).type == "cpu":
            return torch.ones(args[0].shape, dtype=given.get("dtype") or args[0].dtype)
        return func(*args, **given)


@contextmanager
def elsewhere() -> Iterator[_Strict]:
    """What is moved to ELSEWHERE stays there, parameters as CUDA moves them: in place."""
    before = torch.__future__.get_swap_module_params_on_conversion()
    torch.__future__.set_swap_module_params_on_conversion(True)
    try:
        with _config.patch(meta_nonzero_assume_all_nonzero=True), _Strict() as mode:
            yield mode
    finally:
        torch.__future__.set_swap_module_params_on_conversion(before)
