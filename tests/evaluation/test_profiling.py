"""Timing a call."""

import time

from vision_app.evaluation.profiling import measure_latency


def test_latency_of_a_known_wait() -> None:
    calls = []

    def wait() -> None:
        calls.append(1)
        time.sleep(0.01 if len(calls) > 2 else 0.2)

    latency = measure_latency(wait, repeats=10, warmup=2)
    assert len(calls) == 12
    assert 10 <= latency.median_ms <= latency.p95_ms <= latency.p99_ms
    assert latency.median_ms < 200, "the warm-up calls were counted"
