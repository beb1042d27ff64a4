"""Row 297, adaptive data analysis: does a reused holdout certify noise, and do guarded answers stay near the truth?

World 1: labels are coin tosses, 2,500 binary features carry nothing (or 20 of them do). An analyst asks the holdout for
the agreement of each feature with the label, keeps those that lean the same way there and on the training rows, lets
them vote, and asks for the accuracy of that vote: 2,501 questions. World 2: a domain of 256 points, uniform; 4,000
random questions, then the one that their answers suggest. Truth: 50 %.
"""

import numpy as np

from adjudge.stats.holdout import budget, guard, multiplicative

N = D = 2500
WORLDS = 10
SPOT = 1 / np.sqrt(N)
GUARDS = {
    "empirical": {},
    "split": {},
    "laplace": {"scale": 2 * SPOT},
    "gaussian": {"scale": 3 * SPOT},
    "thresholdout": {"scale": SPOT / 4, "threshold": 2 * SPOT},
}


def rows(rng, label_of, lean):
    y = np.where(rng.random(N) < 0.5, 1, -1).astype(np.int8)
    x = rng.integers(0, 2, size=(N, D), dtype=np.int8) * 2 - 1
    copied = rng.random((N, label_of)) < lean
    x[:, :label_of] = np.where(copied, y[:, None], x[:, :label_of])
    return x.astype(np.float32), y.astype(np.float32)


def agreement(x, y):
    return (1 + y @ x / len(y)) / 2


def analyst(train, hold, fresh, kind, settings, seed):
    """(reported accuracy, accuracy on fresh rows, features kept) of the vote of the features kept."""
    (xt, yt), (xh, yh), (xf, yf) = train, hold, fresh
    state = guard.init(kind, N, budget=D + 1, seed=seed, **settings)
    seen, means, told = agreement(xt, yt), agreement(xh, yh), np.empty(D)
    for j in range(D):
        own = (
            means[j] if kind != "split" else agreement(xh[[j % N], j], yh[[j % N]])
        )  # a row a question is all there is
        answer, state = guard.ask(state, float(own), float(seen[j]))
        told[j] = answer.value
    leaning = (np.abs(seen - 0.5) > SPOT / 2) & (np.abs(told - 0.5) > SPOT / 2) & ((seen > 0.5) == (told > 0.5))
    sign = np.where(seen > 0.5, 1, -1).astype(np.float32) * leaning

    def accuracy(x, y):
        return float(np.mean(np.where(x @ sign >= 0, 1, -1) == y))

    last, _ = guard.ask(state, accuracy(xh[:1], yh[:1]) if kind == "split" else accuracy(xh, yh), accuracy(xt, yt))
    return last.value, accuracy(xf, yf), int(leaning.sum())


def first_world(informative, lean):
    print(f"\n{informative} of {D} features say something; {WORLDS} worlds, {N} rows a set, {D + 1} questions")
    print("guard           kept   told    truth   told − truth: mean ± se   worst")
    gap = {}
    sums = {kind: [] for kind in GUARDS}
    for seed in range(WORLDS):
        rng = np.random.default_rng((297, seed, informative))
        sets = [rows(rng, informative, lean) for _ in range(3)]
        for kind, settings in GUARDS.items():
            sums[kind].append(analyst(*sets, kind, settings, seed))
    for kind, found in sums.items():
        told, truth, kept = np.array(found).T
        off = told - truth
        gap[kind] = off.mean(), off.std(ddof=1) / np.sqrt(WORLDS), np.abs(off).max()
        print(
            f"{kind:14s} {kept.mean():5.0f}   {told.mean():.3f}   {truth.mean():.3f}   "
            f"{gap[kind][0]:+.3f} ± {gap[kind][1]:.3f}          {gap[kind][2]:.3f}"
        )
    return gap, {kind: np.mean([row[1] for row in found]) for kind, found in sums.items()}


def second_world():
    points, n, k = 256, 1000, 4000
    print(f"\n{points} points, {n} rows, {k} random questions, then the one that their answers suggest")
    found = []
    for seed in range(WORLDS):
        rng = np.random.default_rng((297, seed))
        counts = np.bincount(rng.integers(points, size=n), minlength=points)
        phi = rng.integers(0, 2, size=(k, points)).astype(float)
        state = multiplicative.init(counts, threshold=0.08, scale=0.25 / np.sqrt(n), seed=seed)
        exact, told = phi @ counts / n, np.empty(k)
        for j in range(k):
            answer, state = multiplicative.ask(state, phi[j])
            told[j] = answer.value
        worst = np.abs(told - phi.mean(axis=1)).max(), np.abs(exact - phi.mean(axis=1)).max()
        row = [*worst, state.spent]
        for answers in (exact, told):
            suggested = (np.sign(answers - phi.mean(axis=1)) @ (phi - 0.5) > 0).astype(float)
            final = suggested @ counts / n if answers is exact else multiplicative.ask(state, suggested)[0].value
            row.append(final - suggested.mean())
        found.append(row)
    worst_told, worst_exact, updates, off_exact, off_told = np.mean(found, axis=0)
    print(f"empirical: worst of {k}: {worst_exact:.3f}; last question off by {off_exact:+.3f}")
    print(f"multiplicative weights: worst {worst_told:.3f}; last off by {off_told:+.3f}; {updates:.1f} updates")
    return off_exact, off_told


noise, _ = first_world(0, 0.0)
signal, reached = first_world(20, 0.2)
exact, multiplied = second_world()
print("\nquestions that the theorems promise to answer within 0.05, by rows of the holdout (95 %)")
for n in (10_000, 100_000, 1_000_000):
    print(f"  {n:9,d}: split {budget.questions('split', n, within=0.05):5d}, "
          f"gaussian {budget.questions('gaussian', n, within=0.05):6d}")  # fmt: skip

fooled = noise["empirical"][0] > 0.05 and noise["empirical"][0] > 10 * noise["empirical"][1]
guarded = {kind: abs(noise[kind][0]) < noise["empirical"][0] / 3 for kind in ("laplace", "gaussian", "thresholdout")}
kept = reached["thresholdout"] > 0.55 and abs(signal["thresholdout"][0]) < 0.02
small = exact > 0.05 and abs(multiplied) < exact / 2
checks = {"holdout certifies noise": fooled, **guarded, "true signal is still found": kept, "small domain": small}
print("\n" + "; ".join(f"{name}: {'yes' if ok else 'no'}" for name, ok in checks.items()))
print(f"CLAIM 297: {'reproduced' if all(checks.values()) else 'partly' if fooled else 'not reproduced'}")
