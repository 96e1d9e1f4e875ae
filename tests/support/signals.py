"""Sounds made for tests: something like speech, resampled without a trace, and altered as a device alters it."""

from __future__ import annotations

from typing import Any

import numpy as np

Samples = np.ndarray[Any, Any]


def speech(rate: int = 16_000, seconds: float = 3.0, *, seed: int = 1, pitch: float = 120.0) -> Samples:
    """Pauses, hisses and voiced sounds with formants, as samples of 16 bit; not words, but as rough as speech."""
    dice = np.random.default_rng(seed)
    count = int(rate * seconds)
    out, at = np.zeros(count), 0
    while at < count:
        size = min(int(rate * dice.uniform(0.08, 0.25)), count - at)
        kind = dice.random()
        if 0.25 <= kind < 0.5:
            out[at : at + size] = np.diff(dice.standard_normal(size), prepend=0) * 0.15 * np.hanning(size)
        elif kind >= 0.5:
            base, time = pitch * dice.uniform(0.85, 1.2), np.arange(size) / rate
            formants = [dice.uniform(300, 800), dice.uniform(900, 2200), dice.uniform(2400, 3200)]
            voice = np.zeros(size)
            for harmonic in range(1, int(min(7500, rate / 2 - 100) / base)):
                loud = sum(np.exp(-(((harmonic * base - each) / 150) ** 2)) for each in formants) + 0.02 / harmonic
                voice += loud * np.sin(2 * np.pi * harmonic * base * time + dice.uniform(0, 6))
            out[at : at + size] = voice * 0.3 * np.hanning(size) + 0.005 * dice.standard_normal(size)
        at += size
    out += dice.standard_normal(count) * 0.0005
    return pcm(out / np.abs(out).max() * 0.3 * 32767)


def pcm(values: Samples) -> Samples:
    """Rounded and limited to 16 bit."""
    limited: Samples = np.clip(np.round(values), -32768, 32767).astype("<i2")
    return limited


def resampled(samples: Samples, rate: int, wanted: int) -> Samples:
    """At another rate, by its spectrum: as good as a converter can be."""
    size = int(len(samples) * wanted / rate)
    spectrum, target = np.fft.rfft(samples.astype(float)), np.zeros(size // 2 + 1, complex)
    kept = min(len(spectrum), len(target))
    target[:kept] = spectrum[:kept]
    return pcm(np.fft.irfft(target, size) * size / len(samples))


def through_a_device(samples: Samples, *, seed: int = 1, noise_db: float = 20.0) -> Samples:
    """Another gain, up to 300 ms of offset, cut ends, silence behind, and noise so much below it."""
    dice = np.random.default_rng(seed)
    gain = 10 ** (dice.uniform(-20, 6) / 20)
    loud = np.sqrt((samples.astype(float) ** 2).mean())
    middle = samples.astype(float)[dice.integers(0, 2000) : len(samples) - dice.integers(1, 2000)]
    whole = np.concatenate([np.zeros(dice.integers(0, 4800)), middle, np.zeros(dice.integers(0, 8000))]) * gain
    return pcm(whole + dice.standard_normal(len(whole)) * loud * gain * 10 ** (-noise_db / 20))


def with_noise(data: bytes, *, gain: float, noise: float, seed: int = 1) -> bytes:
    """PCM made quieter, with noise of so many steps."""
    samples = np.frombuffer(data, "<i2").astype(float)
    return bytes(pcm(samples * gain + np.random.default_rng(seed).standard_normal(len(samples)) * noise).tobytes())
