"""Trouble on purpose: the first so many calls of each device are refused."""

from __future__ import annotations

from collections import Counter
from typing import Final, get_args

from mockcic.auth.issued import KEPT
from mockcic.auth.policy import Call, Trouble
from mockcic.auth.refusal import RefusedError

ERRORS: Final = {400: "invalid_grant", 401: "invalid_client", 403: "invalid_token", 423: "access_denied"}
"""What trouble is called unless the scenario names it."""


class Troubles:
    """Counts who has had how much."""

    def __init__(self) -> None:
        self._had: Counter[tuple[Call, str]] = Counter()

    def meet(self, call: Call, trouble: Trouble | None, device_id: str) -> None:
        """Raises `RefusedError` where this call of this device is to fail; an empty `device_id` is anybody unknown."""
        if trouble is None or trouble.fail == 0:
            return
        key = (call, device_id)
        if trouble.fail is not None and self._had[key] >= trouble.fail:
            return
        if len(self._had) >= KEPT:
            self._had.clear()
        self._had[key] += 1
        which = "each time" if trouble.fail is None else f"{self._had[key]} of {trouble.fail}"
        raise RefusedError(trouble.status, _error_of(trouble), f"the scenario wants it: {which}")

    def forget(self, device_id: str) -> None:
        """A device has had none."""
        for call in get_args(Call):
            self._had.pop((call, device_id), None)


def _error_of(trouble: Trouble) -> str:
    if trouble.error:
        return trouble.error
    return ERRORS.get(trouble.status, "server_error" if trouble.status >= 500 else "invalid_request")
