"""The journal of a running server: read by scope, kept as a trace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mockcic.control.desks.names import Names
from mockcic.control.desks.scenarios import ScenarioDesk
from mockcic.journal.entry import Entry
from mockcic.journal.filter import Filter
from mockcic.scenario.model import Scenario
from mockcic.server.app import Cic
from mockcic.trace.file import Trace
from mockcic.trace.make import make_trace, without_tokens


class JournalDesk:
    """For the server's own loop. A scope is what came `after` an entry's number, of one `device` or of all.

    Raises `AskError` for a device that nobody knows: of one whose name is mistyped anything could be said.
    """

    def __init__(self, cic: Cic, names: Names, scenarios: ScenarioDesk, *, version: str) -> None:
        self._cic = cic
        self._journal = cic.journal
        self._names = names
        self._scenarios = scenarios
        self._version = version

    def entries(self, *, after: int = 0, device: str | None = None, asked: Filter | None = None) -> list[Entry]:
        """The entries of a scope that fit, oldest first."""
        name = None if device is None else self._names.name_of(device)
        return [
            entry
            for entry in self._journal.after(after)
            if (name is None or entry.device == name) and (asked is None or asked.fits(entry))
        ]

    def gone(self, *, after: int = 0, device: str | None = None) -> bool:
        """Whether entries of a scope have been dropped."""
        return self._journal.dropped_after(after, None if device is None else (self._names.name_of(device), ""))

    def trace(self, *, after: int = 0, device: str | None = None, title: str = "") -> Trace:
        """A scope with its sounds and scenarios, as one portable value."""
        devices = list(self._cic.devices) if device is None else [self._names.find(device)]
        scenarios = [each.scenario for each in devices] or list(self._scenarios.chosen_from.scenarios)
        entries = self.entries(after=after, device=device)
        return make_trace(
            self._with_connects(entries) if device else entries,
            scenarios=scenarios,
            texts=self._texts_of(scenarios),
            sound=self._journal.spool.get,
            dropped=self._journal.dropped if self.gone(after=after, device=device) else 0,
            title=title or (f"device {devices[0].name}" if device else "all devices"),
            version=self._version,
        )

    def _with_connects(self, entries: list[Entry]) -> list[Entry]:
        """The connects of a device's connections too: they are older than what is known of who it is."""
        connections = {entry.connection for entry in entries if entry.connection}
        connects = [each for each in self._journal if each.kind == "connect" and each.connection in connections]
        return sorted([*entries, *connects], key=lambda entry: entry.number)

    def _texts_of(self, scenarios: Iterable[Scenario]) -> Mapping[str, str]:
        """The texts of these scenarios, without any token that is known here."""
        texts = {name: text for each in scenarios for name, text in each.texts.items()}
        known = [*self._scenarios.chosen_from.scenarios, *(device.scenario for device in self._cic.devices)]
        tokens = {device.facts.token for device in self._cic.devices}
        return without_tokens(texts, tokens.union(*(each.named_tokens for each in known)), self._journal.redaction)
