"""What can be done with a running server, in its own event loop: the REST API and the Python objects both come here."""

from __future__ import annotations

from collections.abc import Callable

from mockcic.control.desks.chaos import ChaosDesk
from mockcic.control.desks.clock import ClockDesk
from mockcic.control.desks.devices import DeviceDesk
from mockcic.control.desks.ending import Ending
from mockcic.control.desks.faults import FaultDesk
from mockcic.control.desks.journal import JournalDesk
from mockcic.control.desks.names import Names
from mockcic.control.desks.pushes import PushDesk
from mockcic.control.desks.scenarios import ScenarioDesk
from mockcic.control.desks.tokens import TokenDesk
from mockcic.control.desks.verdicts import VerdictDesk
from mockcic.scenario.scenario_set import ScenarioSet
from mockcic.server.app import Cic


class Desk:
    """Looks at and changes what a server has, by a desk a subject. For the server's own loop.

    `scenarios` is the set from files; `reread` reads the files again. The desks raise `AskError` for what cannot be
    done.
    """

    def __init__(
        self, cic: Cic, scenarios: ScenarioSet, *, reread: Callable[[], ScenarioSet] | None = None, version: str = ""
    ) -> None:
        self.cic = cic
        self.version = version
        self.ending = Ending()
        self.names = Names(cic.devices, cic.journal)
        self.faults = FaultDesk(cic)
        self.chaos = ChaosDesk(cic)
        self.clock = ClockDesk(cic)
        self.tokens = TokenDesk(cic, self.names)
        self.devices = DeviceDesk(cic, self.names, self.faults)
        self.pushes = PushDesk(cic, self.names, self.ending)
        self.scenarios = ScenarioDesk(cic, scenarios, reread)
        self.journal = JournalDesk(cic, self.names, self.scenarios, version=version)
        self.verdicts = VerdictDesk(
            cic,
            names=self.names,
            devices=self.devices,
            scenarios=self.scenarios,
            journal=self.journal,
            ending=self.ending,
        )

    def reset_all(self) -> int:
        """Every device begins anew, the journal is empty, no chaos plays, the clock is right; how many devices."""
        self.cic.journal.clear()
        count = self.devices.reset_all()
        self.chaos.stop_any()
        self.cic.turning.put_right()
        return count

    def end(self) -> None:
        """Whoever waits for something waits no longer: the server stops."""
        self.cic.turning.end()
        self.ending.come()
