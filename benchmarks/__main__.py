"""`python -m benchmarks [NAME ...]`: measure, and print a table. Needs h2load (Debian: nghttp2-client) for `events`."""

from __future__ import annotations

import sys

from benchmarks import asking, conformance, delays, downchannels, events, journal, plugin, start
from benchmarks.harness import print_table

ALL = {
    "events": events.run,
    "check": events.check,
    "downchannels": downchannels.run,
    "delays": delays.run,
    "start": start.run,
    "journal": journal.run,
    "asking": asking.run,
    "conformance": conformance.run,
    "plugin": plugin.run,
    "memory": journal.memory,
}
"""`plugin` and `memory` take several minutes."""


def main() -> None:
    """Run those named, or all."""
    rows = []
    for name in sys.argv[1:] or list(ALL):
        rows += ALL[name]()
    print_table(rows)


if __name__ == "__main__":
    main()
