"""What shipped devices need from h2 beyond its defaults: four exceptions, every other check stays. And less memory.

The limit on streams is not here: h2 answers a stream above it by ending the connection, so `Http2` keeps it.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Final

from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated, Event, PriorityUpdated
from h2.settings import ChangedSetting, SettingCodes, Settings
from hpack import Decoder, HeaderTuple
from hyperframe.frame import Frame, GoAwayFrame, HeadersFrame, PriorityFrame

NO_AUTHORITY: Final = HeaderTuple(b":authority", b"")
"""Stands for the authority that a request did not name. Known by identity, since a client may send an empty one."""


class Few(list[int]):
    """The values of one setting, nearly always one: a list of 90 bytes where h2 has a deque of 760."""

    def popleft(self) -> int:
        """As a deque's."""
        return self.pop(0)


def make_small(settings: Settings) -> None:
    """Keep the settings of an idle connection small: a dozen of them were a tenth of its memory."""
    values: dict[Any, Any] = settings._settings
    for code in values:
        values[code] = Few(values[code])


class AuthorityOptional(Decoder):
    """An HPACK decoder that lets requests with neither `:authority` nor `Host` pass h2's validation (DEVICES C1).

    It puts `NO_AUTHORITY` in front of such a request's headers, before h2 looks at them; whoever takes the request
    leaves it out again. A block without `:method` (trailers, a malformed request) is not touched.
    """

    def decode(self, data: bytes, raw: bool = False) -> list[HeaderTuple]:
        """Decode a header block; as `hpack.Decoder.decode`."""
        headers = list(super().decode(data, raw))
        is_request = False
        for name, _ in headers:
            if name == b":method":
                is_request = True
            elif name in (b":authority", b"host"):
                return headers
        if is_request:
            headers.insert(0, NO_AUTHORITY)
        return headers


class TolerantConnection(H2Connection):
    """h2's connection, which lives on where a device would otherwise lose its downchannel.

    - A request without authority is a request (DEVICES C1).
    - A priority that depends on itself is told as `PriorityUpdated` with `depends_on == stream_id`, and not by ending
      the connection: RFC 7540 5.3.1 makes it an error of the stream alone, RFC 9113 5.3.2 lets priorities be ignored.
    - After the client's GOAWAY its requests are still answered: it only says that it takes no streams from the server
      (RFC 9113 6.8).
    - An acknowledgement of SETTINGS is for the oldest that wait for one (RFC 9113 6.5.3). h2 takes it for all that were
      sent by then, and ends the connection for DATA that the device was still allowed to send.
    """

    acknowledged = False
    """Whether the first SETTINGS are."""
    said: deque[dict[SettingCodes | int, int]] | None = None
    """Later SETTINGS that are not yet, the oldest first; their values hold when they are."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        limit = self.decoder.max_header_list_size
        self.decoder = AuthorityOptional()
        self.decoder.max_header_list_size = limit

    def waits_for_acknowledgement(self, values: dict[SettingCodes | int, int]) -> None:
        """SETTINGS with these values were written; they hold when they are acknowledged."""
        if self.said is None:
            self.said = deque()
        self.said.append(values)

    def _local_settings_acked(self) -> dict[SettingCodes | int, ChangedSetting]:
        if self.acknowledged and self.said:
            self.local_settings.update(self.said.popleft())
        self.acknowledged = True
        return super()._local_settings_acked()

    def _receive_priority_frame(self, frame: HeadersFrame | PriorityFrame) -> tuple[list[Frame], list[Event]]:
        depends_on = frame.depends_on
        if depends_on != frame.stream_id:
            return super()._receive_priority_frame(frame)
        frame.depends_on = 0
        frames, events = super()._receive_priority_frame(frame)
        for event in events:
            if isinstance(event, PriorityUpdated):
                event.depends_on = depends_on
        return frames, events

    def _receive_goaway_frame(self, frame: GoAwayFrame) -> tuple[list[Frame], list[Event]]:
        if frame.error_code != ErrorCodes.NO_ERROR:
            return super()._receive_goaway_frame(frame)
        event = ConnectionTerminated()
        event.error_code = ErrorCodes.NO_ERROR
        event.last_stream_id = frame.last_stream_id
        event.additional_data = frame.additional_data or None
        return [], [event]
