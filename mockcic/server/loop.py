"""Which event loop we run on, and how the process keeps small."""

from __future__ import annotations

import asyncio
import sys
from typing import Final

M_MMAP_THRESHOLD: Final = -3
"""Of `mallopt` in glibc's malloc.h."""

MMAP_FROM_BYTES: Final = 128 * 1024


def new_event_loop() -> asyncio.AbstractEventLoop:
    """uvloop where there is one: 61 KB a TLS connection instead of asyncio's 308."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def keep_memory_small() -> None:
    """Keep glibc's malloc from moving large buffers into its heap; for a process that is ours alone.

    uvloop gives each TLS connection a buffer of 256 KB of which a few pages are ever touched. As mappings of their own
    they cost those pages. After the first one is freed glibc raises its threshold and takes them from the heap, where
    other data has dirtied the pages: 52 KB, or 68 to 90 KB an idle downchannel (python -m benchmarks downchannels).
    """
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # musl has none, and no such habit
        mallopt(M_MMAP_THRESHOLD, MMAP_FROM_BYTES)


def collect_rarely() -> None:
    """Let Python look for cyclic garbage less often, for a process that is all ours.

    It would walk the whole journal, some hundred thousand objects, again and again while devices wait; there are no
    cycles in it. Measured: 6 % more events a second.
    """
    import gc

    gc.freeze()  # what the imports made stays anyway
    gc.set_threshold(10_000, 20, 100)
