"""What a recipe's words become: a policy, a recipe of the loop, pairs that were kept back, a stop rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .._typing import Prompt
from ..errors import AdjudgeError
from ..tables import read_lists
from ..tables.contested import Prefer
from ..tables.read_run_log import DUELS, SAMPLES, STATE
from ..tables.scored import Reward
from . import recipe_rollouts, watch_state
from .method_options import known
from .optimise_data import Read
from .optimise_recipe import Recipe
from .recipes import kind, recipe_of
from .row_functions import named
from .watch_callback import Watch
from .watch_contest import against_start
from .watch_gold import Score
from .watch_rows import goes_on

if TYPE_CHECKING:
    from ..train.pairs import Pairs
    from ..train.policy import Policy
    from ..train.settings import Settings

DRAWN = ("temperature", "max_tokens", "updates", "denominator", "ratio", "clip", "kl", "kl_baseline", "over", "mix",
         "slow")  # fmt: skip
MOST = 64  # updates between two looks, where the recipe says nothing and the run is long
_OWN = 90_017


def policy_of(asked: Recipe) -> Policy:
    """The language model of a recipe. Errors: one that cannot be loaded; an option that there is not."""
    from ..train.causal_lm import load
    from ..train.devices import device
    from ..train.lora import Lora

    given: dict[str, Any] = {"device": str(device())}
    given |= {name: value for name, value in asked.policy.items() if name not in ("model", "lora")}
    if "lora" in asked.policy:
        words = {name: tuple(said) if isinstance(said, list) else said for name, said in asked.policy["lora"].items()}
        given["lora"] = Lora(**known("[policy] lora", Lora, words))
    return load(asked.policy["model"], seed=asked.seed, **given)


def settings_of(asked: Recipe) -> Settings:
    """How the loop descends. Errors: an option that there is not."""
    from ..train.settings import Settings

    words = {name: tuple(said) if isinstance(said, list) else said for name, said in asked.train.items()}
    return Settings(**known("[train]", Settings, {**words, "seed": asked.seed}))


def steps_of(
    asked: Recipe, read: Read, policy: Policy, reward: Reward | None, prefer: Prefer | None, folder: Path | None
) -> Any:
    """What the loop descends on. Errors: options of sampling where nothing is sampled."""
    needed = kind(asked.method)
    if prefer is not None:
        needed = "contests"
    drawn = {name: asked.feedback[name] for name in DRAWN if name in asked.feedback}
    if "samples" in asked.feedback:
        drawn["n"] = asked.feedback["samples"]
    if isinstance(drawn.get("clip"), list):
        drawn["clip"] = tuple(drawn["clip"])
    if drawn and needed not in ("rollouts", "online", "contests"):
        raise AdjudgeError(
            f"[feedback] {sorted(drawn)[0]} with {asked.method}.",
            "Options of sampling belong to credit rules, half-online objectives, and objectives on pairs with prefer.",
            "Take it out, or choose a method of `adjudge methods credit`.",
        )
    keep = not asked.stop  # the stop rule keeps samples of its own
    kept = {"rollouts": SAMPLES if keep else "", "contests": DUELS}.get(needed)
    made: Any = recipe_of(
        asked.method, asked.options, read.data, policy,
        reward=reward if needed == "rollouts" else None,
        prefer=prefer,
        draw=drawn,
        reference=asked.feedback.get("reference", "precomputed") or None,
        skip_long=bool(asked.feedback.get("skip_long", False)),
        samples=folder / kept if kept and folder is not None else None,
        seed=asked.seed,
    )  # fmt: skip
    rewarded = asked.feedback.get("reward") if needed == "rollouts" else None
    made.fingerprint += f" {_words(rewarded)} {_words(asked.policy.get('lora'))}"
    if prefer is not None:
        made.fingerprint += f" {_words(asked.feedback['prefer'])}"
    return made


def _words(said: Any) -> str:
    """A reward or adapters by name, wherever their files are seen from: a run goes on with the same alone."""
    if isinstance(said, Mapping):
        return str({name: _words(one) for name, one in sorted(said.items())})
    return named(said)


def kept_back(made: Any, read: Read, policy: Policy) -> Pairs | None:
    """The pairs that were kept back, with what the policy says of them before it learns; None where there are none."""
    from ..train.pairs import Pairs

    if read.held is None or not isinstance(made, Pairs):
        return None
    given = made.reference.given
    kept = Pairs(
        read.held, made.loss, policy, reference="precomputed" if isinstance(given, str) else given, skip_long=True
    )
    kept.warm_up(policy)
    return kept


def first() -> bool:
    """Whether this process is the one that writes, asks and tells."""
    from ..train import devices

    return devices.place()[0] == 0


def begin_anew(folder: Path) -> None:
    """Removes what earlier runs left, before the stop rule has looked at the policy and kept what it saw."""
    from ..train import checkpoint, devices

    devices.once(lambda: checkpoint.clear(folder))


def watch_of(
    asked: Recipe,
    read: Read,
    policy: Policy,
    reward: Reward | None,
    folder: Path | None,
    level: float,
    prefer: Prefer | None = None,
) -> Watch | None:
    """The stop rule, which has looked at the policy as it is now; None where the recipe has none. Of several processes
    the first alone looks, as it is the one that the loop asks.

    Errors: neither a reward nor somebody who compares, to watch beside gold; a run that was watched, and is not now.
    """
    from ..train.devices import once

    if not asked.stop:
        once(lambda: _unwatched(folder))
        return None
    proxy = _proxy(reward) if reward is not None else against_start(prefer, seed=asked.seed) if prefer else None
    if proxy is None:
        raise AdjudgeError(
            "The recipe has [stop], and neither a reward nor prefer under [feedback].",
            "What is watched beside gold: a function, a reward model or a judge.",
            'Add `reward = "python:FILE.py:F"` under [feedback]: it is watched, and nothing learns from it.',
        )
    names = ("gold", "labels", "every", "samples", "bounds")
    given = {name: asked.stop[name] for name in names if name in asked.stop}
    if "bounds" in given:
        given["bounds"] = tuple(given["bounds"])
    watching = Watch(
        _watched(asked, read), proxy, **{"every": MOST, **given},
        max_tokens=int(asked.stop.get("max_tokens", asked.feedback.get("max_tokens", 128))),
        folder=folder, level=float(asked.stop.get("level", level)), seed=asked.seed,
    )  # fmt: skip
    once(lambda: watching.start(policy, folder=folder))
    return watching


def _proxy(reward: Reward) -> Score:
    """A reward as numbers."""

    def proxy(prompts: Sequence[str], responses: Sequence[str]) -> Sequence[float]:
        said = reward(prompts, responses)
        return np.asarray(getattr(said, "reward", said), dtype=float).tolist()

    return proxy


def _unwatched(folder: Path | None) -> None:
    """Errors: the run that lies there was watched by its loop, so that its end would be another."""
    place = None if folder is None else folder / STATE
    if place is not None and goes_on(place.parent) and watch_state.watched_by_loop(place):
        raise AdjudgeError(
            f"{place.parent} holds a run with [stop], and the recipe has none now.",
            "A run goes on as it began: a stop rule that may be taken away promises nothing.",
            "Put [stop] back, name another folder, or begin anew (--fresh; resume=False).",
        )


def _watched(asked: Recipe, read: Read) -> tuple[Prompt, ...]:
    """Prompts to watch on: those of a file, else those kept back, else some of the data's; half as many as labels."""
    if "prompts" in asked.stop:
        return read_lists.read_prompts(asked.stop["prompts"]).prompts
    prompts = recipe_rollouts.prompts_of(read.data if read.held is None else read.held).prompts
    most = max(int(asked.stop.get("labels", 200)) // 2, 1)
    chosen = np.random.default_rng((asked.seed, _OWN)).permutation(len(prompts))[:most]
    return tuple(prompts[at] for at in sorted(chosen.tolist()))
