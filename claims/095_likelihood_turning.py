"""Row 95: is quality non-monotone in chosen likelihood and margin along a preference training, and does the fall of
top-k entropy together with top-k mass mark the turning point?

World: 150 prompts with 60 responses; gold is random, log π = log π_ref + θ·φ − log Z with 30 features that hold gold
with noise; 400 pairs of the reference's own, 25 % wrong labels; full-batch DPO with β = 0.02, 0.1 and 0.5, and IPO
with β = 0.01, 0.03 and 0.1. Quality and win rates against the reference are exact; diversity is of 12 draws a prompt.
Top k is of the 5 likeliest responses of a prompt, whose log-odds are the logits. Log-linear policies, no language
models: such policies end on few favourites, while those of the paper leave the likely tokens for unlikely ones.
"""

import numpy as np

from adjudge.monitor import likelihood
from adjudge.stats.diversity import distinct
from adjudge.stats.top_k import entropy_and_mass
from adjudge.tables.likelihood_curve import from_arrays

PROMPTS, RESPONSES, FEATURES, PAIRS, EVERY, POINTS, SEEDS, DRAWS = 150, 60, 30, 400, 60, 40, 3, 12


def slope(rule, beta, margin):
    """How much a step of each rule moves along a pair, times its rate."""
    return 0.005 / beta / (1 + np.exp(beta * margin)) if rule == "DPO" else 0.0002 / beta * (1 - 2 * beta * margin)


def trained(rule, beta, seed):
    """The curve, and quality at each of its steps."""
    rng = np.random.default_rng((seed, 95))
    gold = rng.normal(size=(PROMPTS, RESPONSES))
    base = 0.5 * gold + 1.5 * rng.normal(size=gold.shape)
    base -= np.logaddexp.reduce(base, axis=1, keepdims=True)
    phi = rng.normal(size=(*gold.shape, FEATURES))
    phi[..., 0] += gold
    prompt = rng.integers(PROMPTS, size=PAIRS)
    chance = np.exp(base).cumsum(axis=1)[prompt][None, :, :-1]
    one, two = (rng.random((2, PAIRS, 1)) > chance).sum(axis=2)
    first = (rng.random(PAIRS) < 1 / (1 + np.exp(gold[prompt, two] - gold[prompt, one]))) ^ (rng.random(PAIRS) < 0.25)
    better, worse = np.where(first, one, two), np.where(first, two, one)
    beats = np.sign(gold[:, :, None] - gold[:, None, :]) / 2 + 0.5
    against = (beats * np.exp(base)[:, None, :]).sum(axis=2)  # chance to beat a response of the reference
    apart, theta, rows, quality = phi[prompt, better] - phi[prompt, worse], np.zeros(FEATURES), [], []
    for step in range(EVERY * POINTS + 1):
        if step % EVERY == 0:
            logits = base + phi @ theta
            log_pi = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
            entropy, mass = entropy_and_mass(logits, k=5)
            drawn = (rng.random((PROMPTS, DRAWS, 1)) > np.exp(log_pi).cumsum(axis=1)[:, None, :-1]).sum(axis=2)
            unlike = np.array([distinct(row[:, None].tolist(), vocabulary=RESPONSES, most=1) for row in drawn])
            win = (np.exp(log_pi) * against).sum(axis=1).clip(0, 1)
            rows.append((log_pi[prompt, better], log_pi[prompt, worse], entropy[prompt], mass[prompt], unlike[prompt],
                         win[prompt]))  # fmt: skip
            quality.append((np.exp(log_pi) * gold).sum(axis=1).mean())
        theta += apart.T @ slope(rule, beta, apart @ theta) / PAIRS
    columns = [np.concatenate(column) for column in zip(*rows, strict=True)]
    codes = {"step": np.repeat(np.arange(len(rows)), PAIRS), "prompt": np.tile(prompt, len(rows))}
    return from_arrays(*columns[:4], **codes, diversity=columns[4], win=columns[5]), np.array(quality)


print("rule  β      quality start → best (step) → end    wins best (step) → end   chosen   margin    entropy        "
      "mass           diversity       stopped by H and M, by wins")  # fmt: skip
turned, marked, false, by_wins, wins_false, narrowed, past = 0, 0, 0, 0, 0, 0, 0
for rule, beta in (("DPO", 0.02), ("DPO", 0.1), ("DPO", 0.5), ("IPO", 0.01), ("IPO", 0.03), ("IPO", 0.1)):
    for seed in range(SEEDS):
        curve, quality = trained(rule, beta, seed)
        seen = likelihood.watch(curve)
        value = {name: figure.value for name, figure in seen.figures.items()}
        best, top = int(quality.argmax()), int(value["win"].argmax())
        stops = {finding.code: int(finding.number) for finding in seen.findings}
        both, wins = (stops.get(code, -1) for code in ("entropy-and-mass-fall", "win-rate-falls"))
        turns = quality[best] - quality[-1] > 0.02
        turned, false, wins_false = (
            turned + turns,
            false + (both >= 0 and not turns),
            wins_false + (wins >= 0 and not turns),
        )
        marked, by_wins = marked + (turns and 0 <= both <= best + 5), by_wins + (turns and wins >= 0)
        narrowed += "diversity-falls" in stops
        past += bool(turns and value["margin"][-1] > value["margin"][best])
        course = f"{quality[0]:.2f} → {quality[best]:.2f} ({best:2d}) → {quality[-1]:.2f}"
        won = f"{value['win'][top]:.2f} ({top:2d}) → {value['win'][-1]:.2f}"
        moved = "   ".join(f"{value[name][-1] - value[name][0]:+6.2f}" for name in ("chosen", "margin"))
        spread = "    ".join(
            f"{value[name][0]:.2f} → {value[name][-1]:.2f}" for name in ("entropy", "mass", "diversity")
        )
        told = ", ".join("never" if at < 0 else str(at) for at in (both, wins))
        print(f"{rule}   {beta:.2f}   {course}              {won}       {moved}    {spread}    {told}")
runs = 6 * SEEDS
print(f"\nquality turned in {turned} of {runs} runs, in {past} of them with a margin that went on rising;")
print(f"entropy and mass marked the turn within 5 steps in {marked}, and stopped {false} of {runs - turned} others;")
print(
    f"win rates stopped {by_wins} of those that turned and {wins_false} others; diversity fell in {narrowed} of {runs}"
)
if not marked:
    print("a policy that collapses onto its favourites raises their mass: in such a world the rule stays silent")
checks = (turned > 0 and past > turned / 2, turned > 0 and marked > turned / 2)
verdict = "reproduced" if all(checks) and not false else "partly" if any(checks) else "not reproduced"
print(f"\nCLAIM 095: {verdict} (log-linear policies, not language models)")
