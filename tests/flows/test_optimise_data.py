"""Data of a recipe that do not fit what is asked: nothing to keep back, nothing compared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.flows.optimise import optimise

pytest.importorskip("torch")

from adjudge.train.tabular import Tabular

RECIPE: dict[str, Any] = {
    "policy": {"model": "none"},
    "objective": {"method": "objectives.dpo"},
    "train": {"steps": 1},
}


def policy() -> Tabular:
    return Tabular(np.zeros((31, 2)), names=("yes", "no"))


def test_that_nothing_could_be_kept_back_is_told() -> None:
    few = [{"prompt": str(at), "chosen": "yes", "rejected": "no"} for at in range(31)]
    for share, severity in ((None, "INFO"), (0.2, "WARNING")):
        data = {"path": few, **({} if share is None else {"held_out": share})}
        told = optimise({**RECIPE, "data": data}, policy=policy()).findings
        finding = next(one for one in told if one.code == "held-out-too-few")
        assert (finding.severity.name, finding.number) == (severity, 31)
        assert finding.threshold == (200 if share is None else 100)
    asked = {**RECIPE, "data": {"path": few, "held_out": 0}}
    assert "held-out-too-few" not in {one.code for one in optimise(asked, policy=policy()).findings}


def test_labelled_responses_are_no_pairs() -> None:
    rows = [{"prompt": str(at), "completion": "yes", "label": bool(at % 2)} for at in range(7)]
    with pytest.raises(AdjudgeError, match=r"no two of 7 responses were compared\..*objectives\.kto"):
        optimise({**RECIPE, "data": {"path": rows}}, policy=policy())
