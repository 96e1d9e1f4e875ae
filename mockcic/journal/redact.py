"""Tokens are nobody's business: what the journal writes down shows their last four characters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from mockcic.auth.secret import ISSUED, MARK

SECRET_CHARACTERS: Final = 8
"""A token of fewer characters (`alarm-1`) is a name and no secret; in texts it is left as it is (INF)."""

SCHEME_CHARACTERS: Final = 10
"""`Bearer`, `Negotiate`: a longer first word is no scheme, and is not shown (INF)."""

SECRET_HEADERS: Final = ("authorization", "proxy-authorization", "cookie")


def shortened(token: str) -> str:
    """The last four characters of a token; two of a short one."""
    return "…" + (token[-4:] if len(token) > 4 else token[-2:])


class Redaction:
    """Takes tokens out of what is written down; with `show` it takes nothing out."""

    def __init__(self, *, show: bool = False) -> None:
        self.show = show

    def headers(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        """Headers with credentials shortened, the scheme kept: `Bearer …4f2a`."""
        if self.show:
            return headers
        return {name: self._credentials(value) if name in SECRET_HEADERS else value for name, value in headers.items()}

    @staticmethod
    def _credentials(value: str) -> str:
        scheme, blank, token = value.strip().partition(" ")
        known = blank and scheme.isalpha() and len(scheme) <= SCHEME_CHARACTERS
        return f"{scheme} {shortened(token.strip())}" if known else shortened(value.strip())

    def text(self, text: str, token: str) -> str:
        """A text without the token."""
        return text.replace(token, shortened(token)) if self.hides(token) else text

    def value(self, value: Any, token: str) -> Any:
        """A JSON value without the token in any of its texts."""
        if not self.hides(token):
            return value
        try:
            return _without(value, token)
        except RecursionError:  # whatever is nested so deep says nothing to a person
            return f"a value that is nested too deep, with {shortened(token)} in it"

    def written(self, text: str, token: str) -> str:
        """A JSON text without the token, also where its letters are written as escapes."""
        if "\\" in text and self.hides(token) and token not in text:
            try:
                plain = json.dumps(json.loads(text), ensure_ascii=False)
            except (ValueError, RecursionError):
                return text
            return plain if token in plain else text
        return text

    def issued(self, text: str) -> str:
        """A text without the codes and tokens that were issued here, whosever they are."""
        if self.show or MARK not in text:
            return text
        return ISSUED.sub(lambda found: shortened(found[0]), text)

    def issued_value(self, value: Any) -> Any:
        """A JSON value without them in any of its texts."""
        try:
            return self._issued_value(value)
        except RecursionError:
            return {"hidden": "values that are nested too deep, with a token in them"}

    def _issued_value(self, value: Any) -> Any:
        match value:
            case str():
                return self.issued(value)
            case Mapping():
                return {self._issued_value(name): self._issued_value(member) for name, member in value.items()}
            case list() | tuple():
                return [self._issued_value(each) for each in value]
            case _:
                return value

    def hides(self, token: str) -> bool:
        """Whether this token is taken out of texts."""
        return not self.show and len(token) >= SECRET_CHARACTERS


def _without(value: Any, token: str) -> Any:
    match value:
        case str():
            return value.replace(token, shortened(token)) if token in value else value
        case Mapping():
            return {_without(name, token): _without(member, token) for name, member in value.items()}
        case list() | tuple():
            return [_without(member, token) for member in value]
        case _:
            return value
