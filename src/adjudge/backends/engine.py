"""Asks: many calls at once, each made once, stored as it returns, tried again when that helps, stopped by the budget.

    answer(call) = store | in flight | backend (≤ `concurrency` at once, ≤ `per_minute` a minute, ≤ `tries` tries)
    wait before try t:  max(what the server asked, base·2^t·U),  U ~ uniform(½, 1), an hour at the most

A failure that will not pass (a refusal of the key, a bad request) ends the run with its error; one call that fails all
its tries gives None and is counted, so that one bad item does not lose a night's work.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from .budget import Budget, Spent
from .call import Backend, Call, Reply, Retry
from .store import Store

LONGEST = 60.0  # seconds between two tries, where the server asks for no more
PATIENCE = 3600.0  # seconds that a server may ask for: one that names next week would hold a seat until then
_OWN = 9973  # tells the waits apart from draws of the caller with the same seed

Case = TypeVar("Case")
Found = TypeVar("Found")


@dataclass
class Tally:
    """What a run did: calls asked of the backend, answers from the store, tries again, calls given up."""

    asked: int = 0
    stored: int = 0
    again: int = 0
    failed: int = 0
    cost: float = 0.0
    tokens: int = 0
    why: dict[str, int] = field(default_factory=dict)


class Engine:
    """Answers calls by a backend, through a store and under a budget.

    Arguments:
        backend: who answers.
        store: what is remembered; in memory by default.
        budget: what may be spent; no limit by default.
        concurrency: calls under way at once.
        per_minute: calls begun in a minute at most; None for no limit.
        tries: of one call.
        base: seconds before the second try, doubled for each further one.
        seed: of the random part of the waits.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        store: Store | None = None,
        budget: Budget | None = None,
        concurrency: int = 16,
        per_minute: float | None = None,
        tries: int = 6,
        base: float = 0.5,
        seed: int = 0,
    ) -> None:
        self.backend = backend
        self.store = Store(":memory:") if store is None else store  # an empty store is false, and yet it is a store
        self.budget = Budget() if budget is None else budget
        self.concurrency = concurrency
        self.gap = 60.0 / per_minute if per_minute else 0.0
        self.tries, self.base = tries, base
        self.tally = Tally()
        self._rng = np.random.default_rng((seed, _OWN))
        self._seats = asyncio.Semaphore(concurrency)
        self._flying: dict[str, asyncio.Future[Reply | None]] = {}
        self._next = 0.0

    async def ask(self, call: Call) -> Reply | None:
        """The answer to a call; None when all tries failed. Raises `Spent` when the budget forbids it."""
        stored = self.store.get(self.backend.name, call)
        if stored is not None:
            self.tally.stored += 1
            return stored
        key = call.key(self.backend.name)
        while (flight := self._flying.get(key)) is not None:
            try:
                return await asyncio.shield(flight)
            except asyncio.CancelledError:
                if not flight.cancelled() or _cancelled():
                    raise  # it is this task that was stopped; otherwise only the one it waited for: ask again
        self._flying[key] = flight = asyncio.get_running_loop().create_future()
        try:
            reply = await self._make(call)
            flight.set_result(reply)
            return reply
        except asyncio.CancelledError:
            flight.cancel()
            raise
        except BaseException as problem:
            flight.set_exception(problem)
            flight.exception()  # it is raised here; whoever waits for the same call sees it too
            raise
        finally:
            del self._flying[key]

    async def _make(self, call: Call) -> Reply | None:
        """The answer from the backend, kept and paid for."""
        async with self._seats:
            for attempt in range(self.tries):
                self.budget.require()
                await self._turn()
                self.budget.require()  # others may have spent it while this call waited for its turn
                try:
                    self.tally.asked += 1
                    reply = await self.backend.complete(call)
                except Retry as problem:
                    why = problem.why + (", told to wait over an hour" if (problem.after or 0.0) > PATIENCE else "")
                    self.tally.why[why] = self.tally.why.get(why, 0) + 1
                    if attempt + 1 < self.tries:
                        self.tally.again += 1
                        await asyncio.sleep(self._wait(attempt, problem.after))
                    continue
                self.budget.pay(cost=reply.cost, tokens=reply.tokens_in + reply.tokens_out)
                self.store.put(self.backend.name, call, reply)
                self.tally.cost += reply.cost
                self.tally.tokens += reply.tokens_in + reply.tokens_out
                return reply
        self.tally.failed += 1
        return None

    async def _turn(self) -> None:
        """Waits for this call's place in the minute."""
        if not self.gap:
            return
        now = time.monotonic()
        start = max(now, self._next)
        self._next = start + self.gap
        await asyncio.sleep(start - now)

    def _wait(self, attempt: int, after: float | None) -> float:
        drawn = self.base * 2.0**attempt * float(self._rng.uniform(0.5, 1.0))
        return max(min(drawn, LONGEST), min(after or 0.0, PATIENCE))

    async def _all(
        self,
        cases: Sequence[Case],
        judge: Callable[[Case], Awaitable[Found]],
        beside: Sequence[Engine],
        progress: Callable[[int, int, Tally], object] | None,
    ) -> list[Found | None]:
        """What `judge` found of each case, in their order; None for those that the budget left out."""
        for engine in (self, *beside):
            engine._seats = asyncio.Semaphore(engine.concurrency)
        found: list[Found | None] = [None] * len(cases)
        waiting = iter(enumerate(cases))
        done = 0

        async def worker() -> None:
            nonlocal done
            for position, case in waiting:
                try:
                    found[position] = await judge(case)
                except Spent:
                    continue  # the next case may be stored, and costs nothing
                except BaseExceptionGroup as group:
                    if group.split(Spent)[1] is not None:
                        raise
                    continue
                done += 1
                if progress is not None:
                    progress(done, len(cases), self.tally)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self.concurrency, len(cases))):
                    group.create_task(worker())
        finally:
            try:
                for engine in (self, *beside):  # connections do not outlive the loop they were made in
                    leave = getattr(engine.backend, "aclose", None)
                    if leave is not None:
                        await leave()
            finally:
                self.store.flush()
        return found

    def run(
        self,
        cases: Sequence[Case],
        judge: Callable[[Case], Awaitable[Found]],
        *,
        beside: Sequence[Engine] = (),
        progress: Callable[[int, int, Tally], object] | None = None,
    ) -> list[Found | None]:
        """What `judge` finds of each case, in their order; None for those that the budget left out.

        Arguments:
            cases: what to judge.
            judge: a coroutine function that asks this engine, and those beside it, as often as it needs.
            beside: engines of other models; their seats and connections belong to this run.
            progress: called with (done, of, tally) after each case.

        Errors: the first one that a backend raises and that will not pass.
        """
        try:
            return asyncio.run(self._all(cases, judge, beside, progress))
        except BaseExceptionGroup as group:
            raise _first(group) from None


def _first(problem: BaseException) -> BaseException:
    """The first failure inside groups of failures."""
    return _first(problem.exceptions[0]) if isinstance(problem, BaseExceptionGroup) else problem


def _cancelled() -> bool:
    """Whether the task at work is itself being stopped."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
