"""What a reward model reads of texts: hashed words, hidden states of a transformer, or one that is trained for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import numpy as np

from ..backends.embeddings import Embedding
from ..errors import AdjudgeError
from ..stats.reward_file import Maker, made
from ..stats.text_features import TextFeatures
from ..tables.preferences import Preferences

if TYPE_CHECKING:
    from ..train.reward_head import RewardHead

PART = 80317  # the seed's own companion: of the prompts that the last layer is fitted on
Progress = Callable[[int, int], object]


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """Pairs with features.

    Arguments:
        table: the pairs that the model is fitted to.
        maker: of their features; None where the table had its own.
        trained: figures of the training beneath, by name; empty where nothing was trained.
    """

    table: Preferences
    maker: Maker | None
    trained: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class PairColumns:
    """Columns of a table of pairs, as in `tables.read_preferences.read`; None takes the usual names."""

    prompt: str | None = None
    left: str | None = None
    right: str | None = None
    outcome: str | None = None
    strength: str | None = None
    rating: tuple[str, str] | None = None
    annotator: str | None = None
    cluster: str | None = None
    weight: str | None = None
    where: str | None = None


@dataclass(frozen=True, slots=True)
class Training:
    """How a transformer is trained beneath its heads.

    Arguments:
        transformer: `tiny` (from scratch, on these texts), or a folder or name of one.
        epochs: passes over the pairs.
        lr: learning rate; None for 1e-3 from scratch and 2e-5 elsewhere.
        batch: pairs of an update.
        context: codes read at the most; 0 for 256 from scratch, the model's own elsewhere.
        share: of the prompts that are kept for the last layer, in (0, 1).
        width, layers, vocabulary: of `tiny`.
    """

    transformer: str
    epochs: float = 2.0
    lr: float | None = None
    batch: int = 16
    context: int = 0
    share: float = 0.3
    width: int = 64
    layers: int = 2
    vocabulary: int = 4096


def read_features(preferences: Preferences, features: str) -> Read:
    """Pairs with features that nothing is trained for.

    Arguments:
        preferences: with texts, or features of their own.
        features: `text`, `text:SIZE`, or `embedding:FOLDER`.

    Errors: another word; no texts.
    """
    kind, _, rest = features.partition(":")
    if kind == "text" and (not rest or rest.isdigit()):
        maker: Maker = TextFeatures(size=int(rest or 1024))
    elif kind == "embedding" and rest:
        maker = Embedding(rest)
    else:
        expected = "text, text:SIZE (slots of the hash), or embedding:FOLDER of a transformer."
        raise AdjudgeError(f"--features {features!r}.", expected, "Name one of them.")
    return Read(featured(preferences, maker), maker, {})


def featured(preferences: Preferences, maker: Maker) -> Preferences:
    """The same pairs with features of their texts. Errors: there are none."""
    if not preferences.left_text:
        raise AdjudgeError("preferences: there are no texts.", "Texts of both responses.", "Look at the columns.")
    left, right = (made(maker, preferences.prompt, side) for side in (preferences.left_text, preferences.right_text))
    return replace(preferences, left=left, right=right, feature_names=maker.names)


def trained(
    preferences: Preferences,
    loss: str,
    training: Training,
    *,
    out: Path | None,
    options: Mapping[str, object],
    seed: int,
    progress: Progress | None = None,
) -> Read:
    """Pairs with the features of a transformer that was trained on the other prompts.

    Arguments:
        preferences: with texts.
        loss: name of a method of `rewards`, by whose loss it is trained.
        training: how.
        out: folder for the transformer; a temporary one when None.
        options: of the method, of which the loss has its own: unit, apart, square, members.
        seed: of the split, of weights and of the order.
        progress: called with (updates done, in all).

    Errors: torch is not installed; a method without a loss; too few prompts.
    """
    try:
        from ..train import reward_pairs
        from ..train.loop import train
        from ..train.settings import Settings
    except ModuleNotFoundError as problem:
        raise AdjudgeError(
            f"The package `{problem.name}` is not installed.",
            "Transformers are trained by torch.",
            "pip install 'adjudge[torch]'",
        ) from None
    if loss not in reward_pairs.LOSSES:
        known = f"One of {', '.join(reward_pairs.LOSSES)}."
        raise AdjudgeError(f"rewards.{loss} is not fitted to texts.", known, "Name one of them with --model.")
    below, above = _split(preferences, training.share, seed)
    members = options.get("members", 5)
    heads = reward_pairs.heads_of(loss, members=members if isinstance(members, int) else 5)
    head = _begun(below, training, heads, seed)
    own = {name: value for name, value in options.items() if name in ("unit", "apart", "square")}
    recipe = reward_pairs.RewardPairs(below, head, loss=loss, seed=seed, **own)  # type: ignore[arg-type]
    settings = Settings(
        epochs=training.epochs,
        batch=training.batch,
        lr=training.lr or (1e-3 if training.transformer == "tiny" else 2e-5),
        warmup=0.1,
        weight_decay=0.01,
        seed=seed,
    )
    told = None if progress is None else lambda done, of, metrics: progress(done, of)  # noqa: ARG005
    found = train(head, recipe, settings, progress=told)
    folder = Path(mkdtemp(prefix="adjudge-reward-")) if out is None else out
    folder.mkdir(parents=True, exist_ok=True)
    head.save(folder)
    maker = Embedding(folder, pool=head.pool, context=head.context)
    last = found.history[-1] if found.history else {}
    figures = {
        "pairs trained on": float(recipe.n),
        "updates": float(found.steps),
        "loss of the last update": float(last.get("loss", np.nan)),
        "parameters": float(sum(part.numel() for part in head.module.parameters())),
    }
    return Read(featured(above, maker), maker, figures)


def _begun(below: Preferences, training: Training, heads: int, seed: int) -> RewardHead:
    """The transformer with its heads, as it begins."""
    from ..train import reward_head

    if training.transformer != "tiny":
        return reward_head.load(training.transformer, heads=heads, context=training.context, seed=seed)
    return reward_head.tiny(
        [*dict.fromkeys(below.prompt), *below.left_text, *below.right_text],
        vocabulary=training.vocabulary, width=training.width, layers=training.layers,
        heads=heads, context=training.context or 256, seed=seed,
    )  # fmt: skip


def _split(preferences: Preferences, share: float, seed: int) -> tuple[Preferences, Preferences]:
    """(pairs that train the transformer, pairs that fit the last layer), by cluster. Errors: one of them is empty."""
    rank = np.random.default_rng((seed, PART)).permutation(preferences.units)
    out = (rank < max(round(share * preferences.units), 1))[preferences.cluster]
    if not 0 < share < 1 or out.all() or not out.any():
        raise AdjudgeError(
            f"reward: {preferences.units:,} prompts, of which a share of {share:g} is kept for the last layer.",
            "At least two prompts, and a share between 0 and 1.",
            "Give more pairs.",
        )
    return preferences.take(~out), preferences.take(out)
