"""Chaos files of a running server: played, seen, stopped."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mockcic.control.ask import AskError
from mockcic.control.desks.faults import events_in_use
from mockcic.control.shapes import ChaosShape, PlannedShape
from mockcic.errors import FaultError
from mockcic.server.app import Cic

if TYPE_CHECKING:
    from mockcic.scenario.chaos import Chaos, Planned


class ChaosDesk:
    """One plays at a time; for the server's own loop. Raises `AskError`, and `ScenarioError` for a bad file."""

    def __init__(self, cic: Cic) -> None:
        self._cic = cic
        self._was_asked = False

    async def play(self, text: str, called: str) -> ChaosShape:
        """Play a file from its beginning, instead of one that plays."""
        from mockcic.scenario.chaos import read_chaos

        return await self.play_read(read_chaos(text, called))

    async def play_read(self, chaos: Chaos) -> ChaosShape:
        """As `play`. Raises `AskError` also for what this server cannot do."""
        self._was_asked = True
        try:
            await self._cic.chaos.begin(chaos)
        except FaultError as error:
            raise AskError(409, str(error), member="entries") from None
        return self.look()

    def look(self) -> ChaosShape:
        """What plays, or played last."""
        play = self._cic.chaos.play if self._was_asked else None
        if play is None:
            raise AskError(404, "no chaos has been played yet", member="chaos")
        from mockcic.scenario.chaos import in_vain_of

        chaos = play.chaos
        return ChaosShape(
            chaos=chaos.chaos,
            about=chaos.about,
            seed=chaos.seed,
            playing=play.playing,
            began=_time(play.began_wall_s),
            ends=_time(play.began_wall_s + chaos.lasts),
            played=play.played,
            warnings=list(in_vain_of(chaos, events_in_use(self._cic))),
            plan=[planned_shape(each, play.began_wall_s) for each in play.plan],
        )

    def stop(self) -> ChaosShape:
        """Stop what plays: its faults are gone."""
        if not self.stop_any():
            raise AskError(409, "no chaos plays", member="chaos")
        return self.look()

    def stop_any(self) -> bool:
        """As `stop`; False when nothing plays."""
        return self._was_asked and self._cic.chaos.stop()


def planned_shape(planned: Planned, began_wall_s: float) -> PlannedShape:
    """One coming of an entry, when the play began at this time."""
    return PlannedShape(
        at_s=round(planned.at_s, 3),
        time=_time(began_wall_s + planned.at_s),
        entry=planned.name,
        devices=list(planned.devices),
        faults=[f"{fault.kind} on {fault.role}: {fault.act.about()}" for fault in planned.faults],
        for_s=planned.for_s,
    )


def _time(wall_s: float) -> str:
    return datetime.fromtimestamp(wall_s, tz=UTC).isoformat(timespec="seconds")


__all__ = ["ChaosDesk", "planned_shape"]
