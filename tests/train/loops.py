"""A world of the loop's own: contexts with a known best distribution, and a recipe that climbs to it by draws."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from adjudge.errors import AdjudgeError
from adjudge.train._figures import Figures
from adjudge.train.loop import Moment, train
from adjudge.train.module_policy import ModulePolicy
from adjudge.train.policy import Exchange
from adjudge.train.settings import Settings
from adjudge.train.tabular import Tabular

CONTEXTS, ARMS = 7, 3
TRUTH = np.random.default_rng(5).dirichlet(np.ones(ARMS), CONTEXTS)


class ToTruth:
    """Cross-entropy of each context's known distribution; its minimum is that distribution, its value the entropy.

    noise: standard deviation of a weight that each row draws, so that updates hang on the generator.
    """

    def __init__(self, *, n: int = 23, updates: int = 1, noise: float = 0.0, broken: int | None = None) -> None:
        self.n, self.updates, self.noise, self.broken = n, updates, noise, broken
        self.seen = np.zeros(n, dtype=np.int64)

    def warm_up(self, policy, progress=None) -> None:
        if callable(progress):
            progress(1, 1)

    def prepare(self, policy, rows, generator):
        self.seen[rows] += 1
        return Some(self, rows, 1 + self.noise * torch.randn(len(rows), generator=generator, dtype=torch.float64).abs())

    def state(self) -> Mapping[str, object]:
        return {"seen": self.seen, "inner": [torch.arange(3), {"half": 0.5}]}

    def restore(self, state: Mapping[str, object]) -> None:
        assert isinstance(state["seen"], np.ndarray)
        assert state["inner"][1] == {"half": 0.5}
        self.seen = state["seen"]


class Some:
    def __init__(self, recipe: ToTruth, rows, weight) -> None:
        self.recipe, self.at, self.weight = recipe, rows, weight
        self.n, self.tokens = len(rows), 2 * len(rows)
        self.figures = Figures()

    def loss(self, policy, part):
        context = self.at[part] % CONTEXTS
        asked = [Exchange((int(one),), (arm,)) for one in context for arm in range(ARMS)]
        logp = policy.chances(asked).total.view(-1, ARMS)
        terms = -(torch.from_numpy(TRUTH[context]) * logp).sum(1) * self.weight[part]
        if self.recipe.broken is not None:
            terms = terms * torch.from_numpy(np.where(self.at[part] == self.recipe.broken, np.nan, 1.0))
        self.figures.keep(
            part, {"rows": torch.tensor(float(len(context))), "entropy": -(logp * logp.exp()).sum() / self.n}
        )
        return terms.sum() / self.weight.sum()

    def metrics(self):
        return {"seen": float(self.recipe.seen.sum())} | self.figures.sums()

    def rows(self, part):
        return [{"prompt": int(one)} for one in self.at[part]]


def table() -> Tabular:
    return Tabular(np.zeros((CONTEXTS, ARMS)))


def network(*, dropout: float = 0.0, dtype=torch.float64) -> ModulePolicy:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        layers = (torch.nn.Linear(5, 16), torch.nn.Tanh(), torch.nn.Dropout(dropout), torch.nn.Linear(16, ARMS))
        module = torch.nn.Sequential(*layers).to(dtype)
    return ModulePolicy(module, np.random.default_rng(1).normal(size=(CONTEXTS, 5)))


LONG = Settings(
    epochs=10,
    batch=5,
    micro=2,
    lr=0.02,
    schedule="cosine",
    warmup=0.1,
    dropout=True,
    seed=11,
    checkpoint_every=7,
    keep=2,
)
"""50 updates with all that a resumed run could forget: momentum, rate, order, draws, dropout, the recipe's state."""


def long_run(out: Path, *, die_at: int = 0, precision: str = "float32", updates: int = 1):
    """The same run each time; killed by the system without a word after `die_at` updates."""

    def die(moment: Moment) -> None:
        if moment.step == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    policy = network(dropout=0.2, dtype=torch.float32 if precision != "float32" else torch.float64)
    recipe = ToTruth(noise=0.3, updates=updates)
    return train(policy, recipe, replace(LONG, precision=precision), out=out, callbacks=[die])


def parameters(policy) -> list[torch.Tensor]:
    return [each.detach().clone() for each in policy.module.parameters()]


def same(some, other) -> bool:
    return all(torch.equal(a, b) for a, b in zip(parameters(some), parameters(other), strict=True))


def several(out: Path) -> None:
    """One of several processes: its share of a run, and what came of it on the one that writes."""
    import torch.distributed

    policy, recipe = network(), ToTruth(noise=0.3)
    asked = []

    def stop(moment: Moment) -> str | None:
        asked.append(moment.step)
        return "Enough." if moment.step == 12 else None

    done = train(policy, recipe, Settings(epochs=10, batch=5, lr=0.02, seed=11), out=out, callbacks=[stop])
    assert done.stopped == "Enough."
    rank = torch.distributed.get_rank()
    assert bool(asked) == (rank == 0)
    torch.save(parameters(policy), out / f"parameters-{rank}.pt")


def sampling(out: Path) -> dict[str, object]:
    """Recipes that sample, ask a reward and a reference: what each process came to, and how often it was asked."""
    import torch.distributed

    from adjudge.credit import rloo
    from adjudge.objectives import dpo, kto
    from adjudge.tables.read_preferences import read
    from adjudge.train.duels import Contest, Duels
    from adjudge.train.pairs import Pairs
    from adjudge.train.responses import Draw
    from adjudge.train.rollouts import Rollouts
    from adjudge.train.singles import Singles
    from train.letters import Letters

    asked = {"reward": 0, "prefer": 0, "chances": 0}

    class Counted(Letters):
        def chances(self, exchanges, **options):
            asked["chances"] += len(exchanges) * (not torch.is_grad_enabled())
            return super().chances(exchanges, **options)

    def reward(prompts, responses):
        asked["reward"] += len(responses)
        return [len(text) - len(prompt) for prompt, text in zip(prompts, responses, strict=True)]

    def prefer(prompts, left, right):
        asked["prefer"] += len(prompts)
        return [1 / (1 + 2.0 ** (len(b) - len(a))) for a, b in zip(left, right, strict=True)]

    words = ("ab", "c", "dd e", "fa", "g")
    triples = zip(words[:3], words[1:4], words[2:], strict=True)
    table = read([{"prompt": a, "chosen": b, "rejected": c} for a, b, c in triples])
    makers = {
        "rollouts": lambda policy: Rollouts(
            words, reward, rloo.advantages, policy, draw=Draw(n=3, max_tokens=6, kl=0.1), demonstrations=words[::-1],
            samples=out / "samples.jsonl", batch=4,
        ),
        "one": lambda policy: Rollouts(words[:1], reward, rloo.advantages, policy, draw=Draw(n=4, max_tokens=6)),
        "duels": lambda policy: Duels(
            words, prefer, dpo.loss, policy, contest=Contest(n=3, max_tokens=6, mix=0.3, slow=0.5), batch=4
        ),
        "pairs": lambda policy: Pairs(table, dpo.loss, policy, batch=1),
        "singles": lambda policy: Singles(table, kto.loss, policy, batch=1),
    }  # fmt: skip
    made: dict[str, object] = {}
    for name, make in makers.items():
        policy = Counted(dtype=torch.float64)
        done = train(policy, make(policy), Settings(steps=4, batch=3, lr=0.05, seed=5))
        keep = [{key: each for key, each in line.items() if "second" not in key} for line in done.history]
        made[name] = {"policy": policy.table.detach(), "history": keep}
    return made | {"asked": dict(asked)}


def shared(out: Path) -> None:
    """One of several processes that sample together; a reward that fails on the first fails in all."""
    import torch.distributed

    from adjudge.train import devices

    made = sampling(out)
    rank = torch.distributed.get_rank()

    def fail():
        raise AdjudgeError("The judge is gone.", "A judge.", "Ask again.")

    try:
        devices.once(fail)
    except AdjudgeError as error:
        made["error"] = error.found
    torch.save(made, out / f"made-{rank}.pt")


def recipe(out: Path) -> None:
    """One of several processes that carry out a recipe with a stop rule: who was asked, what came of it."""
    import torch.distributed

    from adjudge.flows.optimise import optimise

    names, asked = ("good", "bad"), {"reward": 0, "gold": 0}

    def said(who: str):
        def score(prompts, responses):
            asked[who] += len(responses)
            return [float(text == "good") for text in responses]

        return score

    rank, policy = torch.distributed.get_rank(), Tabular(np.zeros((11, 2)), names=names)
    prompts = out / f"prompts-{rank}.jsonl"
    prompts.write_text("".join(json.dumps({"prompt": str(at)}) + "\n" for at in range(11)), encoding="utf-8")
    answer = optimise(
        {
            "data": {"path": str(prompts)}, "policy": {"model": "none"}, "objective": {"method": "credit.rloo"},
            "feedback": {"reward": said("reward"), "samples": 3}, "train": {"lr": 0.1, "batch": 11, "steps": 6},
            "stop": {"gold": said("gold"), "labels": 20, "every": 3},
        },
        policy=policy, out=out / "run", resume=False,
    )  # fmt: skip
    told = {"steps": answer.trained.steps, "asked": asked, "watched": answer.watched is not None}
    torch.save(told | {"logits": policy.logits.detach()}, out / f"recipe-{rank}.pt")


def crew(out: Path) -> None:
    """All that one of several processes is asked to do."""
    import torch.distributed

    several(out)
    shared(out)
    recipe(out)
    torch.distributed.destroy_process_group()


def limited(out: Path) -> None:
    """A long run on a system that cuts files short once the first checkpoint is there."""
    import resource

    from adjudge.train import checkpoint

    write, done = checkpoint.write, []

    def cut(*given):
        if done:
            resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))
        done.append(1)
        return write(*given)

    checkpoint.write = cut
    long_run(out)


DOOMED = {
    "float32": lambda out: long_run(out, die_at=32),
    "float16": lambda out: long_run(out, die_at=32, precision="float16", updates=3),
    "limited": limited,
}


def doomed(out: Path) -> None:
    """Runs that do not come to their end, each in a process of its own; torch is imported once for all."""
    running = {}
    for name, run in DOOMED.items():
        running[name] = os.fork()
        if not running[name]:
            try:
                run(out / name)
            except AdjudgeError as error:
                (out / f"{name}.txt").write_text(str(error), encoding="utf-8")
            os._exit(0)
    ends = {name: os.waitpid(process, 0)[1] for name, process in running.items()}
    (out / "ends.json").write_text(json.dumps(ends), encoding="utf-8")


if __name__ == "__main__":
    {"crew": crew, "doomed": doomed}[sys.argv[1]](Path(sys.argv[2]))
