"""What faults send a device on another way than it was due, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockcic.cic.facts import StopCaptureLost
from mockcic.cic.message import Attachment, Directive, Pieces
from mockcic.journal.store import Journal
from mockcic.server.clock import Alarm, Clock

if TYPE_CHECKING:
    from mockcic.server.device import Device


class Aside:
    """Of one device; see `mockcic.server.faults.rewriting.Elsewhere`. `clear` calls off what is still to come."""

    def __init__(self, device: Device, journal: Journal, clock: Clock) -> None:
        self.message_before = ""
        self._device = device
        self._journal = journal
        self._clock = clock
        self._alarms: set[Alarm] = set()

    def dialogue_before(self, dialogue: str | None) -> str:
        """The dialogue before this one, or before the newest; empty where there was none."""
        return self._device.dialogue_before(dialogue)

    def send_late(self, pieces: Pieces, seconds: float, why: str) -> None:
        """Send it on the downchannel that is there by then."""

        def due() -> None:
            self._alarms.discard(alarm)
            self._device.push_as_it_is(pieces, why)

        alarm = self._clock.call_at(self._clock.now() + seconds, due)
        self._alarms.add(alarm)

    def send_again(self, directive: Directive, attachments: tuple[Attachment, ...], why: str) -> None:
        """Send it on the downchannel as well."""
        self._device.push(directive, attachments, why)

    def not_sent(self, directive: Directive, line: str, stream: str, why: str) -> None:
        """Write down that it was due and is not sent."""
        self._journal.add(
            "directive",
            device=self._device.name,
            token=self._device.facts.token,
            connection=stream.rpartition(".")[0],
            stream=stream,
            dialogue=directive.dialog_request_id,
            name=directive.full_name,
            line=line,
            message_id=directive.message_id,
            dropped=why,
        )

    def stop_capture_lost(self, dialogue: str | None) -> None:
        """Let the scenario know that the device was not told to stop."""
        self._device.tell(StopCaptureLost(dialogue))

    def clear(self) -> None:
        """Forget what was to be late."""
        for alarm in self._alarms:
            alarm.cancel()
        self._alarms.clear()
