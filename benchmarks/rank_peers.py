"""The peers' jobs on a frame of battles, each as its own documentation says; None where a peer is not installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

import numpy as np
import pandas as pd

from benchmarks.speed import Job

PEERS = ("arena-rank", "evalica", "choix", "crowd-kit", "scikit-learn")


def installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def arena_table(frame: pd.DataFrame) -> Job | None:
    """arena-rank: Bradley-Terry, ties as half wins, i.i.d. sandwich."""
    if not installed("arena_rank"):
        return None
    from arena_rank.models.bradley_terry import BradleyTerry
    from arena_rank.utils.data_utils import PairDataset

    def run() -> object:
        data = PairDataset.from_pandas(frame)
        return BradleyTerry(n_competitors=len(data.competitors)).compute_ratings_and_cis(data)

    return run


def arena_style(frame: pd.DataFrame) -> Job | None:
    """arena-rank with three covariates."""
    if not installed("arena_rank"):
        return None
    from arena_rank.models.contextual_bradley_terry import ContextualBradleyTerry
    from arena_rank.utils.data_utils import ContextualPairDataset

    names = [f"style_{c}" for c in range(3)]

    def run() -> object:
        data = ContextualPairDataset.from_pandas(frame, feature_cols=names)
        return ContextualBradleyTerry(len(data.competitors), len(names)).compute_ratings_and_cis(data)

    return run


def _evalica_columns(frame: pd.DataFrame) -> tuple[list[str], list[str], list[object]]:
    import evalica

    words = {"model_a": evalica.Winner.X, "model_b": evalica.Winner.Y, "tie": evalica.Winner.Draw}
    return frame["model_a"].tolist(), frame["model_b"].tolist(), frame["winner"].map(words).tolist()


def evalica_table(frame: pd.DataFrame) -> Job | None:
    """evalica: Bradley-Terry, ties as half wins."""
    if not installed("evalica"):
        return None
    import evalica

    return lambda: evalica.bradley_terry(*_evalica_columns(frame))


def evalica_newman(frame: pd.DataFrame) -> Job | None:
    """evalica: Newman's ties, the law that we fit."""
    if not installed("evalica"):
        return None
    import evalica

    return lambda: evalica.newman(*_evalica_columns(frame))


def evalica_boot(frame: pd.DataFrame, draws: int) -> Job | None:
    """evalica's percentile bootstrap, of single votes."""
    if not installed("evalica"):
        return None
    import evalica

    columns = _evalica_columns(frame)
    return lambda: evalica.bootstrap(
        evalica.bradley_terry, *columns, n_resamples=draws, bootstrap_method="percentile", random_state=0
    )


def halves(frame: pd.DataFrame) -> pd.DataFrame:
    """Winner and loser, each tie as two rows of half the weight."""
    a, b, who = frame["model_a"], frame["model_b"], frame["winner"]
    tie = who == "tie"
    win, lose = a.where(who != "model_b", b), b.where(who != "model_b", a)
    parts = [
        pd.DataFrame({"win": win, "lose": lose, "weight": np.where(tie, 0.5, 1.0)}),
        pd.DataFrame({"win": b[tie], "lose": a[tie], "weight": 0.5}),
    ]
    return pd.concat(parts, ignore_index=True)


def crowd_table(frame: pd.DataFrame) -> Job | None:
    """crowd-kit's Bradley-Terry, with the tolerance that keeps it from stopping after two iterations."""
    if not installed("crowdkit"):
        return None
    from crowdkit.aggregation import BradleyTerry

    decided = frame[frame["winner"] != "tie"]
    data = pd.DataFrame({"left": decided["model_a"], "right": decided["model_b"]})
    data["label"] = data["left"].where(decided["winner"] == "model_a", data["right"])
    data["worker"] = "w"
    return lambda: BradleyTerry(n_iter=200, tol=0).fit_predict(data)


def regression_table(frame: pd.DataFrame) -> Job | None:
    """The classic: one-hot columns and a logistic regression."""
    if not installed("sklearn"):
        return None
    from sklearn.linear_model import LogisticRegression

    def run() -> object:
        models = sorted(set(frame["model_a"]) | set(frame["model_b"]))
        place = {name: position for position, name in enumerate(models)}
        rows = halves(frame)
        X = np.zeros((len(rows), len(models)))
        at = np.arange(len(rows))
        X[at, rows["win"].map(place)] = 1.0
        X[at, rows["lose"].map(place)] = -1.0
        sign = np.where(at % 2, 1.0, -1.0)
        model = LogisticRegression(fit_intercept=False, C=np.inf, tol=1e-8, max_iter=200)
        return model.fit(X * sign[:, None], sign, sample_weight=rows["weight"].to_numpy()).coef_

    return run


def _centred(values: np.ndarray) -> np.ndarray:
    return values - values.mean()


def _evalica_theta(frame: pd.DataFrame, names: tuple[str, ...]) -> np.ndarray | None:
    if not installed("evalica"):
        return None
    import evalica

    found = evalica.bradley_terry(*_evalica_columns(frame), tolerance=1e-13, limit=100_000).scores
    return _centred(np.log(found.loc[list(names)].to_numpy(dtype=float)))


def _choix_theta(frame: pd.DataFrame, names: tuple[str, ...]) -> np.ndarray | None:
    """choix takes no weights: every decisive vote twice, every tie once each way."""
    if not installed("choix"):
        return None
    import choix

    place = {name: position for position, name in enumerate(names)}
    rows = halves(frame)
    pairs = list(zip(rows["win"].map(place), rows["lose"].map(place), strict=True))
    twice = [pair for pair, weight in zip(pairs, rows["weight"], strict=True) for _ in range(int(2 * weight))]
    return _centred(np.asarray(choix.ilsr_pairwise(len(names), twice, max_iter=1000, tol=1e-12)))


def _arena_theta(frame: pd.DataFrame, names: tuple[str, ...]) -> np.ndarray | None:
    if not installed("arena_rank"):
        return None
    from arena_rank.models.bradley_terry import BradleyTerry
    from arena_rank.utils.data_utils import PairDataset

    data = PairDataset.from_pandas(frame)
    model = BradleyTerry(n_competitors=len(data.competitors), ftol=1e-15, gtol=1e-12, hessian_reg=0.0)
    found = model.compute_ratings_and_cis(data)
    place = {name: position for position, name in enumerate(found["competitors"])}
    values = np.asarray(found["ratings"], dtype=float)[[place[name] for name in names]]
    return _centred(values) / (400 / np.log(10))


AGREEMENT: dict[str, Callable[[pd.DataFrame, tuple[str, ...]], np.ndarray | None]] = {
    "evalica": _evalica_theta,
    "choix": _choix_theta,
    "arena-rank": _arena_theta,
}
