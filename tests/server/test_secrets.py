"""What a device sends wrong is shown without what nobody may see."""

from __future__ import annotations

import pytest

from mockcic import MockCIC
from tests.support.raw_h2 import RawClient


@pytest.mark.parametrize(
    "value", [" Bearer secret-token-1234", "Bearer secret-token-1234 ", "Bearer a\nsecret-token-1234"]
)
async def test_a_header_that_h2_refuses_is_not_quoted(value: str) -> None:
    with MockCIC() as cic:
        async with await RawClient.connect(int((cic.h2c_url or "").rpartition(":")[2])) as client:
            headers = [(":method", "GET"), (":scheme", "http"), (":path", "/ping"), ("authorization", value)]
            await client.send(client.headers_frame(1, headers, end=True))
            entry = await cic.wait_async("disconnect")
        assert entry.data["reason"].startswith("protocol error of the client: ")
        assert not any("secret" in each.text() for each in cic.journal)
