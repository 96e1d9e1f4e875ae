"""What the faults of one device can hit: its answers, its downchannel, the connection that carries both."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mockcic.server.faults.armed import Armed
from mockcic.server.faults.aside import Aside
from mockcic.server.faults.instead import instead
from mockcic.server.faults.strike import Target
from mockcic.server.faults.trouble import Trouble
from mockcic.server.wire import Wire

if TYPE_CHECKING:
    from mockcic.server.device import Device
    from mockcic.server.downchannel import Downchannel
    from mockcic.server.exchange import Exchange


class Targets:
    """A stream gets its `Trouble` when a fault first reaches for it, and is written through that from then on.

    `begins` is told when the place in a stream has come at which a fault is to strike, with words about it; `through`
    when a message that a fault made slow is written.
    """

    def __init__(
        self,
        device: Device,
        aside: Aside,
        begins: Callable[[Armed, Target, str], None],
        through: Callable[[Armed], None],
    ) -> None:
        self._device = device
        self._aside = aside
        self._begins = begins
        self._through = through

    def of(self, armed: Armed, exchange: Exchange | None) -> Target | None:
        """What a fault is aimed at, where it is about this exchange; None where that is not there."""
        match armed.fault.role:
            case "answer" if exchange is not None:
                return Target(
                    exchange.wire,
                    lambda: self._trouble_of_exchange(exchange),
                    exchange.stream,
                    exchange,
                    lambda act: exchange.answer_instead(instead(act, exchange.stream, exchange.dialect)),
                )
            case "downchannel":
                return self.downchannel()
            case "connection" if exchange is not None:
                return Target(exchange.wire, None, exchange.stream, exchange)
            case "connection":
                return self.connection()
        return None

    def connection(self) -> Target | None:
        """The connection of its downchannel, or the one it last came on."""
        line = self._device.downchannel
        wire = line.wire if line is not None and line.wire is not None else self._device.wire
        return None if wire is None else Target(wire, None, "")

    def downchannel(self) -> Target | None:
        """Its downchannel, if it has one."""
        line = self._device.downchannel
        return None if line is None else self.line(line)

    def line(self, line: Downchannel) -> Target:
        """A downchannel that is about to be its own."""
        return Target(
            line.wire,
            lambda: self._trouble_of_line(line),
            line.stream,
            None,
            lambda act: line.answer_instead(instead(act, line.stream, line.dialect)),
        )

    def _trouble_of_exchange(self, exchange: Exchange) -> Trouble:
        if exchange.trouble is None:
            exchange.trouble = self._trouble(exchange.wire, exchange.sender, exchange.stream, per_message=False)
            exchange.sender = exchange.trouble.send
        return exchange.trouble

    def _trouble_of_line(self, line: Downchannel) -> Trouble:
        if line.trouble is None:
            line.trouble = self._trouble(line.wire, line.sender, line.stream, per_message=True)
            line.sender = line.trouble.send
        return line.trouble

    def _trouble(self, wire: Wire | None, send: Any, stream: str, *, per_message: bool) -> Trouble:
        return Trouble(
            wire,
            send,
            lambda armed, about: self._begins(armed, Target(wire, None, stream), about),
            per_message=per_message,
            stream=stream,
            elsewhere=self._aside,
            through=self._through,
        )


__all__ = ["Targets"]
