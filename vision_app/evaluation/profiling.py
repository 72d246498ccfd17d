"""How long a call takes."""

from collections.abc import Callable
from time import perf_counter_ns
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

NANOSECONDS_PER_MILLISECOND = 1e6


class Latency(BaseModel):
    """How long a call took, in milliseconds: half of the calls were faster than the median, 99 % than p99."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    median_ms: float
    p95_ms: float
    p99_ms: float


def measure_latency(call: Callable[[], Any], repeats: int = 200, warmup: int = 10) -> Latency:
    """Time a call again and again.

    Args:
        call: what to time; takes no arguments.
        repeats: number of timed calls.
        warmup: number of calls before them that are not counted, so that caches are warm.
    """
    for _ in range(warmup):
        call()
    times = np.empty(repeats)
    for index in range(repeats):
        start = perf_counter_ns()
        call()
        times[index] = perf_counter_ns() - start
    median, p95, p99 = np.percentile(times / NANOSECONDS_PER_MILLISECOND, [50, 95, 99])
    return Latency(median_ms=median, p95_ms=p95, p99_ms=p99)
