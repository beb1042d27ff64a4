"""Walks along a run's checkpoints, spends labels where they tell most, and bets on a fall with them.

At each checkpoint two fresh prompts are labelled, there and at the best so far; four at a time more while the labels
left would suffice for STOP, by those and by the law of all labels before (`stats.stopping.ask`, `stats.peak`). Once the
run has stopped or ended, what is left, a fifth at least, goes to which checkpoint to keep. A prompt is used once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from ..stats import peak, stopping
from ..tables.run_log import RunLog
from .watch_gold import Gold
from .watch_state import KEEP, STOP, Pair, Saved

RESERVE = 0.2  # of the labels, for which checkpoint to keep
Keep = Callable[[Saved], object]
FIRST, BATCH, BULK = 2, 4, 8  # prompts: at a new checkpoint, then at a time; at a time where people label


@dataclass(frozen=True, slots=True, eq=False)
class Walked:
    """Where a watch has come to.

    Arguments:
        watched: the evidence.
        turn: where gold is highest among the checkpoints up to `last`.
        last: code of the latest checkpoint that was looked at, or where STOP was said.
        saved: what to remember.
        short: whether fresh prompts ran out before the labels did.
    """

    watched: stopping.Watched
    turn: peak.Turn
    last: int
    saved: Saved
    short: bool

    @property
    def open(self) -> tuple[Pair, ...]:
        """Pairs whose labels are waited for."""
        return tuple(pair for pair in self.saved.pairs if pair.gold is None)


class Walk:
    """One walk; `walk` is its door."""

    def __init__(self, table: RunLog, gold: Gold, saved: Saved, labels: int, keep: Keep | None) -> None:
        self.table, self.gold, self.saved, self.keep = table, gold, saved, keep
        self.pairs = list(saved.pairs)
        self.code = {step: number for number, step in enumerate(table.steps)}
        first = np.flatnonzero(table.sample == 0)
        self.rows = {(table.steps[table.step[row]], table.items[table.item[row]]): int(row) for row in first}
        counts = np.bincount(table.item[first], table.weight[first], len(table.items))
        order = np.random.default_rng((saved.seed, 190_039)).permutation(counts.size)
        self.order = [table.items[place] for place in order.tolist() if counts[place] > 0]
        self.labels = min(labels, 2 * len(self.order))  # a prompt is used once: more would be spent too early
        mean = counts / np.maximum(np.bincount(table.item[first], minlength=counts.size), 1)
        self.share = dict(zip(table.items, (mean / max(float(mean.max()), 1e-300)).tolist(), strict=True))
        self.watched, self.closed = stopping.init(bounds=saved.bounds, level=saved.level), saved.closed
        self.waiting, self.short, self.few = False, False, self.labels < labels

    @property
    def left(self) -> int:
        """Labels that may still be asked for."""
        return max(self.labels - 2 * len(self.pairs), 0)

    @property
    def stakes(self) -> int:
        """Labels that may still be staked on STOP."""
        return max(self.left - int(RESERVE * self.labels), 0)

    def go(self, *, final: bool) -> Walked:
        """Along all checkpoints, as far as labels allow."""
        last = 0
        self._all(range(len(self.pairs)))
        for here in range(1, len(self.table.steps)):
            self.watched, last = stopping.advance(self.watched), here
            self._checkpoint(here)
            if self.waiting or self.watched.stopped >= 0:
                break
            self.closed = max(self.closed, self.table.steps[here])
        if self.waiting and self.gold.asks is None:
            self._scout(last + 1)
        if last and not self.waiting and (final or self.watched.stopped >= 0):
            self._settle(last)
        self.short = self.short or (self.few and self.stakes < 2 and self.watched.stopped < 0)
        return Walked(self.watched, self._turn(last), last, self._so_far(), self.short)

    def _so_far(self) -> Saved:
        return replace(self.saved, closed=self.closed, pairs=tuple(self.pairs))

    def _checkpoint(self, here: int) -> None:
        """Stakes the labels of a checkpoint in their order, and asks for more while they could settle it."""
        at, done = self.table.steps[here], 0
        while self.watched.stopped < 0:
            own = [place for place, one in enumerate(self.pairs) if one.use == STOP and one.later == at]
            for place in own[done:]:
                if not self._resolved(place):
                    self.waiting = True
                    return
                self.watched = stopping.update(self.watched, *self._stake(self.pairs[place]))
                done += 1
            if at <= self.closed:
                return
            seen, best = self.watched.here[0], self.watched.best
            size = FIRST if not seen else BATCH if self.gold.asks else BULK
            expected = self._turn(here).drop(best, here) if seen else None
            wanted = stopping.ask(self.watched, self.stakes, batch=size, expected=expected)
            if (seen == 0 and done) or not wanted or not self._ask(best, here, wanted, STOP):
                return

    def _stake(self, pair: Pair) -> tuple[float, float]:
        """Labels as they are staked: a prompt that stands for half as many as another stakes half its difference."""
        (earlier, later), share = pair.gold or (math.nan, math.nan), self.share.get(pair.item, 1.0)
        return (earlier if share == 1 else later + share * (earlier - later)), later

    def _scout(self, begin: int) -> None:
        """Asks people about the checkpoints that came meanwhile too, so that fewer rounds are needed."""
        for here in range(begin, len(self.table.steps)):
            at = self.table.steps[here]
            if all(one.later != at or one.use != STOP for one in self.pairs) and self.stakes >= 2 * FIRST:
                self._ask(self.watched.best, here, FIRST, STOP)

    def _settle(self, last: int) -> None:
        """Spends what is left on which checkpoint to keep."""
        self.waiting = not self._all(place for place, one in enumerate(self.pairs) if one.use == KEEP)
        while self.left >= 2 and not self.waiting:
            earlier, later = self._turn(last).ask(BATCH)
            size = min(BATCH if self.gold.asks else BULK, self.left // 2)
            before = len(self.pairs)
            if not self._ask(earlier, later, size, KEEP):
                return
            self.waiting = not self._all(range(before, len(self.pairs)))

    def _ask(self, earlier: int, later: int, wanted: int, use: str) -> bool:
        """Adds fresh prompts that both checkpoints have; whether there were any."""
        one, two = self.table.steps[earlier], self.table.steps[later]
        used = {pair.item for pair in self.pairs}
        fresh = [item for item in self.order if item not in used and {(one, item), (two, item)} <= self.rows.keys()]
        if self.gold.asks is None:
            known = [item for item in fresh if all(self.gold.answered[self.rows[at, item]] for at in (one, two))]
            fresh = known or fresh  # labels that are there are used before people are asked for more
        self.short = self.short or len(fresh) < wanted
        self.pairs += [Pair(one, two, item, use) for item in fresh[:wanted]]
        return bool(fresh)

    def _all(self, places: Iterable[int]) -> bool:
        """Whether all of some pairs have their labels; each is asked, the first that has none or not."""
        return not [place for place in places if not self._resolved(place)]

    def _resolved(self, place: int) -> bool:
        """Whether both labels of a pair are there now."""
        pair = self.pairs[place]
        if pair.gold is not None:
            return True
        rows = [self.rows.get((at, pair.item)) for at in (pair.earlier, pair.later)]
        if max(pair.earlier, pair.later) > self.table.steps[-1]:
            return False  # a run that goes on has yet to come there again
        if None in rows:
            self.pairs[place] = replace(pair, gold=(math.nan, math.nan))  # the response is no longer there
            return True
        one, two = self.gold.of(self.table, [row for row in rows if row is not None])
        if one is None or two is None:
            return False
        self.pairs[place] = replace(pair, gold=(one, two))
        if self.keep is not None and self.gold.asks is not None:
            self.keep(self._so_far())
        return True

    def _turn(self, last: int) -> peak.Turn:
        """Where gold is highest, by all labels so far of checkpoints up to one."""
        seen = [
            (self.code[one.earlier], self.code[one.later], one.gold[0] - one.gold[1])
            for one in self.pairs
            if one.counts and one.gold and one.earlier in self.code and self.code.get(one.later, last + 1) <= last
        ]
        earlier, later, drop = zip(*seen, strict=True) if seen else ((), (), ())
        return peak.turn(self.table.distance[: last + 1], earlier, later, drop)


def walk(
    table: RunLog, gold: Gold, saved: Saved, *, labels: int, final: bool = False, keep: Keep | None = None
) -> Walked:
    """Goes on with a watch.

    Arguments:
        table: the run as it is now.
        gold: who knows the truth.
        saved: the watch so far.
        labels: budget of the whole watch.
        final: whether the run is over, so that what is left goes to which checkpoint to keep.
        keep: told the watch each time that labels were given, so that a crash makes none of them be asked for again.
    """
    return Walk(table, gold, saved, labels, keep).go(final=final)
