"""A test's own place on a server: its devices, its scenario, what happened with them."""

from mockcic.bench.bench import Bench
from mockcic.bench.device import TestDevice
from mockcic.bench.loading import Loadable, load_any
from mockcic.bench.place import Place

__all__ = ["Bench", "Loadable", "Place", "TestDevice", "load_any"]
