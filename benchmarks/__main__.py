"""`python -m benchmarks [NAME ...]`: measure, and print a table. Needs h2load (Debian: nghttp2-client) for `events`.

`python -m benchmarks soak [--minutes 10] [--devices 50] [--seed 1]` stands alone.
"""

from __future__ import annotations

import sys

from benchmarks import asking, conformance, delays, downchannels, events, journal, plugin, soak, start
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
    if sys.argv[1:2] == ["soak"]:
        rows = soak.run(sys.argv[2:])
        print_table(rows)
        sys.exit(any(row.reached is False for row in rows))
    rows = []
    for name in sys.argv[1:] or list(ALL):
        rows += ALL[name]()
    print_table(rows)


if __name__ == "__main__":
    main()
