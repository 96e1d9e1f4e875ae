"""What an entry carries, packed: it looks like the mapping it was, and no more can be put into it."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mockcic.journal.packed import Packed, pack, packed_or_plain
from mockcic.journal.store import Journal

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda values: st.lists(values, max_size=4) | st.dictionaries(st.text(), values, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), JSON, max_size=5))
def test_it_is_the_mapping_it_was_made_of(values: dict[str, Any]) -> None:
    packed = Packed(pack(values))
    assert packed == values
    assert dict(packed) == values
    assert {**packed} == values
    assert (list(packed), len(packed)) == (list(values), len(values))
    assert all(name in packed and packed[name] == packed.get(name) == value for name, value in values.items())
    assert packed.get("no such member\x00", 3) == 3
    assert json.dumps(packed.unpack()) == json.dumps(values)


def test_each_look_is_at_a_copy() -> None:
    packed = Packed(pack({"list": [1]}))
    packed["list"].append(2)
    assert packed == {"list": [1]}


def journal() -> Journal:
    return Journal(lambda: 0.0, lambda: 0.0)


def test_what_cannot_be_packed_is_kept_as_it_is_and_without_the_token_too() -> None:
    entry = journal().add("state", token="secret-token-1", value=MappingProxyType({"a": "secret-token-1"}))
    assert entry.data == {"value": {"a": "…en-1"}}


def test_the_token_is_taken_out_of_name_dialogue_and_members() -> None:
    token = 'it\'s "a" 토큰\\'
    entry = journal().add("event", token=token, name=f"A.{token}", dialogue=f"<{token}>", payload={token: [token]})
    assert token not in json.dumps(entry.as_json(), ensure_ascii=False)
    assert entry.name == "A.…" + token[-4:]
    assert entry.data["payload"] == {"…" + token[-4:]: ["…" + token[-4:]]}


def test_what_cannot_be_packed_stays_as_it_is() -> None:
    """A verdict names entries of all kinds: it must not fail for what one of them holds."""
    strange = {"came": [{"value": MappingProxyType({"a": 1})}]}
    assert packed_or_plain(strange) is strange
    assert isinstance(packed_or_plain({"a": 1}), Packed)
