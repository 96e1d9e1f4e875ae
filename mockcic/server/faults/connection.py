"""What goes wrong with one HTTP/2 connection: the frames that leave it, the windows it gives back, its PINGs."""

from __future__ import annotations

import asyncio
import struct
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from h2.settings import SettingCodes, Settings
from hyperframe.frame import PingFrame, SettingsFrame

if TYPE_CHECKING:
    from mockcic.server.http2 import Http2

HEAD: Final = 9
"""Bytes of a frame's head (RFC 9113 4.1)."""

PING_TYPE: Final = 6
SETTINGS_TYPE: Final = 4
ACK: Final = 1

Pong = Literal["never", "wrong"] | float
"""How PINGs are acknowledged: never, with other data, or so many seconds late."""


class ConnectionTrouble:
    """The trouble of one connection, made when the first is wanted: a connection without has none of this.

    Every method acts at once and is harmless when the connection is gone.
    """

    def __init__(self, http2: Http2) -> None:
        self._http2 = http2
        self.max_streams: int | None = None
        """Streams of the device at a time; the setting of the server without it."""
        self.pong: Pong | None = None
        self.settings_ack = True
        self._held: dict[int, int] = {}
        self._shut: Counter[int] = Counter()
        self._layers: dict[str, dict[object, Any]] = {}
        self._said: dict[str, int] = {}
        self._pings: dict[bytes, Callable[[], None]] = {}
        self._numbers = 0

    # ------------------------------------------------------------------ what `Http2` asks

    def passed(self, data: bytes) -> bytes:
        """Of the frames that are about to be written, those that may be."""
        if self.pong is None and self.settings_ack:
            return data
        return b"".join(each for each in (self._judged(frame) for frame in frames_of(data)) if each)

    def _judged(self, frame: bytes) -> bytes:
        kind, flags = frame[3], frame[4]
        if not flags & ACK:
            return frame
        if kind == SETTINGS_TYPE and not self.settings_ack:
            return b""
        if kind == PING_TYPE and self.pong is not None:
            match self.pong:
                case "never":
                    return b""
                case "wrong":
                    return frame[:HEAD] + bytes(byte ^ 0xFF for byte in frame[HEAD:])
                case late:
                    asyncio.get_running_loop().call_later(late, self.raw, frame)
                    return b""
        return frame

    def holds_back(self, stream_id: int, size: int) -> bool:
        """Whether the window for these bytes is held back; the connection's is not, where only a stream's is shut."""
        if 0 in self._shut:
            self._held[stream_id] = self._held.get(stream_id, 0) + size
            return True
        if stream_id not in self._shut:
            return False
        self._held[stream_id] = self._held.get(stream_id, 0) + size
        if size:
            self._http2.connection.increment_flow_control_window(size)
            self._http2.flush()
        return True

    def acknowledged(self, data: bytes) -> None:
        """The device acknowledged a PING of ours, or one that we never sent."""
        if (tell := self._pings.pop(data, None)) is not None:
            tell()

    # ------------------------------------------------------------------ acts

    def raw(self, data: bytes) -> None:
        """Write these bytes as they stand, behind what was written."""
        if not self._http2.closed:
            self._http2.flush()
            self._http2.line.write(data)

    def settings(self, values: Mapping[str, int]) -> Callable[[], None]:
        """Send SETTINGS with these values, by their names of RFC 9113 6.5.2; returns what takes them back.

        The limit on streams is kept here: h2 would end the connection for one stream too many.
        """
        away = {name: self.lay(name, value, self._setting(name)) for name, value in values.items()}
        self._say(values)

        def take_back() -> None:
            changed = {name: value for name, take in away.items() if (value := take()) != self._said.get(name)}
            if changed:
                self._say(changed)

        return take_back

    def lay(self, name: str, value: Any, ordinary: Any) -> Callable[[], Any]:
        """Lay a value above the others of this name; returns what takes it away and gives the one that counts then."""
        layers = self._layers.setdefault(name, {None: ordinary})
        layers[layer := object()] = value

        def away() -> Any:
            layers.pop(layer, None)
            return next(reversed(layers.values()))

        return away

    def _say(self, values: Mapping[str, int]) -> None:
        connection = self._http2.connection
        self._said |= values
        if not self._http2.closed:
            codes = {SettingCodes[name]: value for name, value in values.items()}
            if (limit := codes.get(SettingCodes.MAX_CONCURRENT_STREAMS)) is not None:
                self.max_streams = limit
            # Frames that come in one piece with the acknowledgement are parsed before h2 has heard of it.
            larger = codes.get(SettingCodes.MAX_FRAME_SIZE, 0)
            connection.max_inbound_frame_size = max(connection.max_inbound_frame_size, larger)
            connection.waits_for_acknowledgement(
                {code: value for code, value in codes.items() if code is not SettingCodes.MAX_CONCURRENT_STREAMS}
            )
            self.raw(SettingsFrame(0, settings={int(code): value for code, value in codes.items()}).serialize())

    def announce(self, values: Mapping[str, int]) -> None:
        """Let the first SETTINGS have these values; before they are written."""
        connection = self._http2.connection
        first = {SettingCodes(code): value for code, value in connection.local_settings.items()}
        first |= {SettingCodes[name]: value for name, value in values.items()}
        connection.local_settings = Settings(client=False, initial_values=first)
        self.max_streams = values.get("MAX_CONCURRENT_STREAMS")
        # h2 takes these over when a change is acknowledged; the first values are none.
        connection.max_inbound_frame_size = connection.local_settings.max_frame_size
        connection.decoder.max_allowed_table_size = max(4096, connection.local_settings.header_table_size)

    def _setting(self, name: str) -> int:
        if name == "MAX_CONCURRENT_STREAMS":
            return self._http2.config.settings.max_concurrent_streams if self.max_streams is None else self.max_streams
        return int(self._http2.connection.local_settings.get(SettingCodes[name], 0))

    def give_up(self, ping: bytes) -> None:
        """Wait no longer for the answer to a PING."""
        self._pings.pop(ping, None)

    def ping(self, acknowledged: Callable[[], None]) -> bytes:
        """Send a PING, with data that is returned; `acknowledged` is called when its answer has come."""
        self._numbers += 1
        data = b"mock" + struct.pack(">I", self._numbers)
        self._pings[data] = acknowledged
        self.raw(PingFrame(0, data).serialize())
        return data

    def shut(self, stream_id: int) -> Callable[[], None]:
        """Give back no window of a stream, or of all of the connection (0); returns what opens it again.

        Of the connection, SETTINGS take the windows that were given before back too.
        """
        self._shut[stream_id] += 1
        restore = self.settings({"INITIAL_WINDOW_SIZE": 0}) if stream_id == 0 else None

        def open_again() -> None:
            self._shut[stream_id] -= 1
            if not self._shut[stream_id]:
                del self._shut[stream_id]
            if self._http2.closed:
                return
            if restore is not None:
                restore()
            if stream_id in self._shut:
                return
            held, self._held = self._held, {}
            for number, size in held.items():
                if stream_id in (0, number):
                    self._http2.open_window(number, size, whole=stream_id == 0)
                else:
                    self._held[number] = size

        return open_again


def frames_of(data: bytes) -> Iterator[bytes]:
    """The frames of bytes that hold nothing but whole frames; the client's preface is none."""
    at = 0
    while at < len(data):
        end = at + HEAD + int.from_bytes(data[at : at + 3], "big")
        yield data[at:end]
        at = end


BAD: Final[Mapping[str, Callable[[int, int], bytes]]] = {
    "unknown-type": lambda stream, limit: frame(0x4D, 0, 0, b"mock"),
    "unknown-setting": lambda stream, limit: frame(SETTINGS_TYPE, 0, 0, struct.pack(">HI", 0x4D4D, 1)),
    "ping-length": lambda stream, limit: frame(PING_TYPE, 0, 0, b"7 bytes"),
    "settings-length": lambda stream, limit: frame(SETTINGS_TYPE, 0, 0, bytes(5)),
    "too-large": lambda stream, limit: frame(0, 0, stream, bytes(limit + 1)),
    "bad-hpack": lambda stream, limit: frame(1, 4, stream, b"\xff\xff\xff\xff\xff\xff"),
    "padding": lambda stream, limit: frame(0, 8, stream, b"\xff" + b"x"),
    "data-on-closed": lambda stream, limit: frame(0, 0, stream, b"late"),
    "data-on-idle": lambda stream, limit: frame(0, 0, 2**31 - 1, b"nobody"),
    "push-promise": lambda stream, limit: frame(5, 4, stream, struct.pack(">I", 2) + b"\x82\x84\x87"),
    "window-overflow": lambda stream, limit: frame(8, 0, stream, struct.pack(">I", 2**31 - 1)) * 2,
    "window-zero": lambda stream, limit: frame(8, 0, stream, bytes(4)),
    "continuation": lambda stream, limit: frame(9, 4, stream, b"\x88"),
    "garbage": lambda stream, limit: b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\ngarbage",
}
"""Bytes of a frame that breaks the rules, for a stream and the device's SETTINGS_MAX_FRAME_SIZE."""

HUGE_FRAMES: Final = 64
"""CONTINUATION frames of a header block that no device takes: 1 MiB (INF)."""


def frame(kind: int, flags: int, stream_id: int, payload: bytes) -> bytes:
    """A frame of any type, right or wrong (RFC 9113 4.1)."""
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + struct.pack(">I", stream_id) + payload


def huge_headers(stream_id: int) -> bytes:
    """A header block of 1 MiB in CONTINUATION frames: one field again and again, never indexed."""
    field = b"\x10\x06x-mock\x7f\xc1\x00" + b"m" * 320
    block = field * (HUGE_FRAMES * 16_384 // len(field))
    parts = [block[at : at + 16_384] for at in range(0, len(block), 16_384)]
    kinds = [1] + [9] * (len(parts) - 1)
    last = len(parts) - 1
    return b"".join(
        frame(kind, 4 if number == last else 0, stream_id, part)
        for number, (kind, part) in enumerate(zip(kinds, parts, strict=True))
    )


__all__ = ["BAD", "ConnectionTrouble", "Pong", "frame", "frames_of", "huge_headers"]
