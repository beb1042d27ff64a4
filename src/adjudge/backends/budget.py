"""How much may be spent: a hard stop in money and in tokens, checked before each call and settled after it."""

from __future__ import annotations

import math
from dataclasses import dataclass


class Spent(Exception):  # noqa: N818  (a state, not a failure)
    """The budget is used up: no further call is made."""


@dataclass
class Budget:
    """A purse. Arguments: money, tokens: the most that may be spent; inf for no limit.

    Calls that are under way when the limit is reached are paid; none is begun after it. So a run exceeds its budget by
    the calls in flight at the most.

    >>> purse = Budget(tokens=10)
    >>> purse.pay(tokens=10)
    >>> purse.left
    False
    """

    money: float = math.inf
    tokens: float = math.inf
    spent: float = 0.0
    used: int = 0

    @property
    def left(self) -> bool:
        """Whether another call may begin."""
        return self.spent < self.money and self.used < self.tokens

    def require(self) -> None:
        """Raises `Spent` when nothing is left."""
        if not self.left:
            raise Spent(
                f"spent {self.spent:.4g} of {self.money:g} in money and {self.used:,} of {self.tokens:g} tokens"
            )

    def pay(self, *, cost: float = 0.0, tokens: int = 0) -> None:
        """Books a call that was answered."""
        self.spent += cost
        self.used += tokens
