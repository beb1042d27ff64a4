"""A transformer trained for a reward model is judged on prompts that trained nothing beneath the model."""

from __future__ import annotations

import numpy as np

from adjudge.flows.reward_features import Training, trained
from adjudge.tables import read_preferences


def test_no_prompt_trains_the_transformer_and_the_last_layer_both(monkeypatch, tmp_path) -> None:
    from adjudge.train import reward_pairs

    below: list[str] = []
    begun = reward_pairs.RewardPairs.__init__

    def seen(self, preferences, *others, **options):
        below.extend(preferences.prompt)
        begun(self, preferences, *others, **options)

    monkeypatch.setattr(reward_pairs.RewardPairs, "__init__", seen)
    words = np.random.default_rng(3).integers(0, 50, (90, 2, 5)).astype(str)
    rows = [
        {"prompt": f"question {at // 3}", "chosen": " ".join(one), "rejected": " ".join(two)}
        for at, (one, two) in enumerate(words)
    ]
    how = Training("tiny", epochs=1, width=16, layers=1, vocabulary=300)
    table = trained(read_preferences.read(rows), "bradley_terry", how, out=tmp_path, options={}, seed=0).table
    assert not set(below) & set(table.prompt), "held-out accuracy would be flattered"
    assert len(below) + table.n == 90
    assert table.n == 27, "three tenths of the prompts are kept for the last layer"
