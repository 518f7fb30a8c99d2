"""What a device could do at best: the denominator of FLOP utilisation.

Lives here: a table of accelerators and a measurement for everything else. The table has the
makers' peaks for dense bfloat16 products; a card that is not in it, a CPU, and float32 are
measured by a short product of two large matrices. A measured peak is what the library reaches, not
what the silicon could, so utilisation by it is the kinder number.
"""

from __future__ import annotations

import re
import time

import torch

BFLOAT16_PEAKS = (
    (r"B200", 2250e12),
    (r"GH200|H200", 989e12),
    (r"H100 PCIe", 756e12),
    (r"H100 NVL", 835e12),
    (r"H100", 989e12),
    (r"H20", 148e12),
    (r"A100", 312e12),
    (r"A10G", 70e12),
    (r"A10", 125e12),
    (r"L40S", 362e12),
    (r"L40", 181e12),
    (r"L4", 121e12),
    (r"RTX 6000 Ada", 364e12),
    (r"RTX A6000", 155e12),
    (r"RTX 4090", 165e12),  # with float32 sums, as training takes them
    (r"RTX 3090", 71e12),
)
"""Dense bfloat16 operations a second by the words of a card's name, the more specific first."""
SLOWER = re.compile(r"laptop|max-q|4090 d\b|mig", re.IGNORECASE)
"""Variants that share a name with a faster card are measured."""
SIDE = {"cpu": 768, "cuda": 8192}
"""Rows and columns of the measured matrices: large enough for the peak, done in milliseconds."""
SECONDS = 0.15
"""How long the measurement goes on, after one product to warm up."""


def peak_flops(device: torch.device, *, bfloat16: bool) -> float:
    """Return the operations a second that ``device`` could do in the type trained in."""
    if device.type == "cuda" and bfloat16:
        known = known_peak(torch.cuda.get_device_name(device))
        if known:
            return known
    return measured_peak(device, torch.bfloat16 if bfloat16 else torch.float32)


def known_peak(name: str) -> float | None:
    """Return the peak of a card by its name, ``None`` if it is not in the table."""
    if SLOWER.search(name):
        return None
    for words, peak in BFLOAT16_PEAKS:
        if re.search(rf"\b(?:{words})\b", name, re.IGNORECASE):
            return peak
    return None


@torch.no_grad()
def measured_peak(device: torch.device, dtype: torch.dtype) -> float:
    """Return the best rate seen over some products of two square matrices."""
    side = SIDE.get(device.type, SIDE["cuda"])
    a, b = torch.ones(2, side, side, device=device, dtype=dtype)
    torch.matmul(a, b)
    best, end = float("inf"), time.monotonic() + SECONDS
    while True:
        _wait(device)
        start = time.perf_counter()
        torch.matmul(a, b)
        _wait(device)
        best = min(best, time.perf_counter() - start)
        if time.monotonic() >= end:
            return 2 * side**3 / best


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
