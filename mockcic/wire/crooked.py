"""Multipart that is wrong on purpose: an encoder that goes on where a straight one stands. No I/O."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Literal

from mockcic.wire.encode import Encoder, Part

Wrong = Literal[
    "wrong-boundary", "no-end", "double-end", "lf", "preamble", "epilogue", "no-blank-line", "no-headers",
    "boundary-in-body",
]  # fmt: skip
"""What can be wrong with the form; several at once may be."""

AT_THE_END: Final[frozenset[Wrong]] = frozenset({"no-end", "double-end", "epilogue"})
"""What is wrong with the last delimiter, and nowhere else."""

PREAMBLE: Final = b"This is a multipart message in MIME format.\r\n"
EPILOGUE: Final = b"This is the epilogue. It is to be ignored.\r\n"


class CrookedEncoder(Encoder):
    """Takes the place of `straight`, also in the middle of a body; `wrong` is asked whenever something is written."""

    def __init__(self, straight: Encoder) -> None:
        self.__dict__.update(vars(straight))
        self.wrong: frozenset[Wrong] = frozenset()

    def filled(self, part: Part) -> Part:
        """The part with `--boundary--` in the middle of a line of its body: no delimiter, for it begins no line.

        In JSON it is a member of its own, in a sound it stands in the middle.
        """
        if "boundary-in-body" not in self.wrong:
            return part
        inside, body = self._line + b"--", part.body
        if body.startswith(b"{"):
            return replace(part, body=b'{"mockcic":"' + inside + b'",' + body[1:])
        middle = len(body) // 2
        return replace(part, body=body[:middle] + inside + body[middle:])

    def part(self, part: Part, *, last: bool = False) -> bytes:
        """As of `Encoder`."""
        return self.part_head(part.headers) + self.filled(part).body + self.delimiter(last=last)

    def part_head(self, headers: tuple[tuple[str, str], ...]) -> bytes:
        """As of `Encoder`."""
        before = PREAMBLE if "preamble" in self.wrong and not self.has_begun else b""
        head = super().part_head(() if "no-headers" in self.wrong else headers)
        if "no-blank-line" in self.wrong:
            head = head.removesuffix(b"\r\n")
        return self._bent(before + head)

    def delimiter(self, *, last: bool = False) -> bytes:
        """As of `Encoder`."""
        data = super().delimiter(last=last)
        return self._bent(self._ending(data) if last else data)

    def closing(self) -> bytes:
        """As of `Encoder`."""
        data = super().closing()
        return self._bent(self._ending(data)) if data else data

    def _ending(self, data: bytes) -> bytes:
        if "no-end" in self.wrong:
            return b""
        if "double-end" in self.wrong:
            data += (b"" if data.endswith(b"\r\n") else b"\r\n") + self._last
        if "epilogue" in self.wrong:
            data += (b"" if data.endswith(b"\r\n") else b"\r\n") + EPILOGUE
        return data

    def _bent(self, data: bytes) -> bytes:
        if "wrong-boundary" in self.wrong:
            data = data.replace(self._line, b"--" + wrong_boundary(self._boundary).encode())
        return data.replace(b"\r\n", b"\n") if "lf" in self.wrong else data


def wrong_boundary(boundary: str) -> str:
    """One that is as long, and another one."""
    return boundary[::-1] if boundary[::-1] != boundary else "x" * len(boundary)


__all__ = ["AT_THE_END", "EPILOGUE", "PREAMBLE", "CrookedEncoder", "Wrong", "wrong_boundary"]
