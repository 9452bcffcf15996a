from __future__ import annotations

import torch

from empathic_sdk.lab.benchmarks.speech import measure_speech


def test_the_parts_fit_into_the_whole() -> None:
    threads = torch.get_num_threads()
    found = measure_speech(seconds=1.5, runs=3)
    assert torch.get_num_threads() == threads
    assert found["speech_voiced_s"] > 1.0  # it was really heard
    parts = found["speech_decode_cpu_ms_p50"] + found["speech_voice_cpu_ms_p50"]
    assert 0 < parts < 1.5 * found["speech_cpu_ms_p50"]
    assert found["speech_ms_p95"] >= found["speech_ms_p50"] > 0
