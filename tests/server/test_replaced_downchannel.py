"""What becomes of a downchannel when its device opens another, as a raw client sees it (PROTOCOL 2.2; 8, row 7)."""

from __future__ import annotations

import pytest
from hyperframe.frame import DataFrame, GoAwayFrame, RstStreamFrame

from mockcic import MockCIC
from tests.support.raw_h2 import RawClient

HEAD = (("authorization", "Bearer raw-1"), ("user-agent", "Acme/Desk/1.2.3 (Linux;x)"))


async def opens(client: RawClient, stream: int) -> None:
    await client.request(stream, "/v1/directives", headers=HEAD)
    while b"Hello" not in client.of(stream).body:
        await client.next_frame()


@pytest.mark.parametrize("same", [True, False], ids=["on the same connection", "on another"])
@pytest.mark.parametrize("how", ["close", "reset", "goaway"])
async def test_a_replaced_downchannel_ends_as_the_scenario_wants_it(how: str, same: bool) -> None:
    """The connection of the new downchannel is never told to go away."""
    with MockCIC(f"scenario: s\nsettings: {{replaced_downchannel: {how}, downchannel_window: off}}\n") as cic:
        assert cic.h2c_url is not None
        port = int(cic.h2c_url.rpartition(":")[2])
        async with await RawClient.connect(port) as first, await RawClient.connect(port) as other:
            await opens(first, 1)
            await opens(first if same else other, 3)
            old = await first.answer(1)
            assert (old.ended, old.reset) == ((False, 8) if how == "reset" else (True, None))
            assert (first.goaway is not None) is (how == "goaway" and not same)
            assert other.goaway is None
            assert [each.name for each in cic.find("downchannel")] == ["open", "open", "closed"]
            cic.push("Clova.Help")
            await (first if same else other).until(DataFrame, lambda frame: b"Help" in frame.data)
            assert not (first if same else other).all(GoAwayFrame)
            assert len(first.all(RstStreamFrame)) == (how == "reset")
