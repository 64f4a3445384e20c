"""A short text as one vector: its words look at each other once, and are averaged (a layer of Vaswani et al., NeurIPS
2017). It is trained with the network that is told the vector; nobody's language model is behind it.

A text is a row of codes, of its words in order and then 0 for none. A text of no words tells nothing: the vector is 0.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import gelu, layer_norm, scaled_dot_product_attention

from semblance.learn.drawn import Text
from semblance.learn.nets.mlp import linear


class TextReader(nn.Module):
    """(n, length) codes from 0 to the number of words -> (n, width)."""

    def __init__(self, text: Text, width: int) -> None:
        super().__init__()
        self.words = nn.Parameter(torch.empty(text.words + 1, width))
        self.places = nn.Parameter(torch.empty(text.length, width))
        self.asked, self.said, self.tell = linear(width, 3 * width), linear(width, width), linear(width, width)

    def forward(self, codes: torch.Tensor) -> torch.Tensor:
        codes = codes.long()
        there = codes > 0
        none = ~there.any(1, keepdim=True)
        h = self.words[codes] + self.places
        query, key, value = self.asked(layer_norm(h, h.shape[2:])).chunk(3, 2)
        h = h + self.said(scaled_dot_product_attention(query, key, value, attn_mask=(there | none)[:, None]))
        mean = (h * there[:, :, None]).sum(1) / there.sum(1, keepdim=True).clamp(min=1)
        told: torch.Tensor = self.tell(gelu(layer_norm(mean, mean.shape[1:])))
        return torch.where(none, 0.0, told)
