"""The page on which a user agrees to the terms of use, and where it leads (PROTOCOL 6.2, status 451)."""

from __future__ import annotations

from html import escape
from typing import Final, Literal
from urllib.parse import quote, urlencode

PATH: Final = "/agree"

Reason = Literal["server_error", "terms_not_agreed", "user-disagreement"]
"""Why the user did not get through, since 2019-04."""

SUCCESS: Final = "clova://agreement-success"
FAILURE: Final = "clova://agreement-failure"


def page_url(base: str, code: str, state: str, redirect_uri: str = "") -> str:
    """Where the page of a code is; `base` is `https://host:port`. Names as in the documents' sample."""
    asked = {"code": code, "grant_type": "code", "state": state}
    if redirect_uri:
        asked["redirect_uri"] = redirect_uri
    return f"{base}{PATH}?{urlencode(asked, quote_via=quote, safe='')}"


def destination(code: str, state: str, redirect_uri: str = "", reason: Reason | None = None) -> str:
    """Where the page leads: the app's own address where it named one (since 2019-07), else a `clova://` one."""
    error = {} if reason is None else {"error": reason}
    if redirect_uri:
        place = redirect_uri.partition("://")[2] or redirect_uri
        place = "".join(quote(each, safe="/:?&=%@[]~+,;$!*'()") for each in place)
        joint = "&" if "?" in place else "?"
        return f"https://{place}{joint}{urlencode({'code': code, 'state': state} | error, quote_via=quote, safe='')}"
    return SUCCESS if reason is None else f"{FAILURE}?{urlencode(error)}"


def page(code: str, state: str, redirect_uri: str = "") -> str:
    """The page: two buttons, no script, nothing from elsewhere."""
    asked = {"code": code, "grant_type": "code", "state": state, "redirect_uri": redirect_uri}
    hidden = "\n".join(
        f'    <input type="hidden" name="{name}" value="{escape(value)}">' for name, value in asked.items() if value
    )
    return f"""<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width">
  <title>Terms of use</title>
  <style>
    body {{ font: 1.1em sans-serif; margin: 3em auto; max-width: 30em }}
    button {{ font: inherit; margin: 0.5em }}
  </style>
</head>
<body>
  <h1>Terms of use</h1>
  <p>This is a mock. Nothing is agreed to here but that the device gets its token.</p>
  <form method="post" action="{PATH}">
{hidden}
    <button name="decision" value="agree">Agree</button>
    <button name="decision" value="disagree">Disagree</button>
  </form>
</body>
</html>
"""
