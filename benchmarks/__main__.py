"""`python -m benchmarks [NAME ...]`: measure, and print a table. Needs h2load (Debian: nghttp2-client) for `events`.

`python -m benchmarks soak [--minutes 10] [--devices 50] [--seed 1]` stands alone.
"""

from __future__ import annotations

import argparse
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
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", epilog="`soak` stands alone, with options of its own."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"all without one: {', '.join(ALL)}")
    names = parser.parse_args().names or list(ALL)
    if unknown := [name for name in names if name not in ALL]:
        parser.error(f"found {', '.join(unknown)}, expected some of {', '.join(ALL)}, or soak")
    print_table([row for name in names for row in ALL[name]()])


if __name__ == "__main__":
    main()
