"""The members of an entry as one piece of memory: a journal keeps hundreds of thousands of them."""

from __future__ import annotations

import marshal
from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from typing import Any, Final

VERSION: Final = 2
"""Of marshal's format: the newer ones look for objects that come twice, which takes as long as all the rest."""


class Packed(Mapping[str, Any]):
    """JSON values, packed by marshal; each look unpacks them anew, in three microseconds.

    As dicts and lists they take six times as much memory, the garbage collector walks them, and letting an old entry
    go touches a hundred objects that no cache holds any more: together a tenth of the server's time.
    """

    __slots__ = ("packed",)

    def __init__(self, packed: bytes) -> None:
        self.packed = packed

    def unpack(self) -> dict[str, Any]:
        """The members as a dict, nobody else's."""
        values: dict[str, Any] = marshal.loads(self.packed)
        return values

    def __getitem__(self, member: str) -> Any:
        return self.unpack()[member]

    def __iter__(self) -> Iterator[str]:
        return iter(self.unpack())

    def __len__(self) -> int:
        return len(self.unpack())

    def __contains__(self, member: object) -> bool:
        return member in self.unpack()

    def get(self, member: str, default: Any = None) -> Any:
        """The member, or something else where there is none."""
        return self.unpack().get(member, default)

    def keys(self) -> KeysView[str]:
        """The names."""
        return self.unpack().keys()

    def values(self) -> ValuesView[Any]:
        """The values."""
        return self.unpack().values()

    def items(self) -> ItemsView[str, Any]:
        """Both."""
        return self.unpack().items()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Packed):
            other = other.unpack()
        return self.unpack() == other

    __hash__ = None  # type: ignore[assignment]  # as a dict's

    def __repr__(self) -> str:
        return repr(self.unpack())


def pack(values: dict[str, Any]) -> bytes:
    """The values as bytes; their texts stand in it as they are, in UTF-8. Raises `ValueError` for what is no JSON."""
    return marshal.dumps(values, VERSION)


def packed_or_plain(values: dict[str, Any]) -> Mapping[str, Any]:
    """The values packed; as they are where they hold something that is no JSON, or are nested too deep."""
    try:
        return Packed(pack(values))
    except ValueError:
        return values
