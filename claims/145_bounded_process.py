"""Row 145: does summing step rewards teach a policy to pad with repeated correct steps and cost accuracy, do clip and
delta stop that, and do they lose nothing against success alone?

World: a problem takes 3 right steps; a policy solves carefully, solves hastily, repeats a step or answers, in at most
14 steps. A process reward model gives right steps and their repeats 0.8, wrong ones 0.3, with noise 0.1. Policy
gradient with a baseline by state on a table of logits; returns are those of success + 0.3 · shaped steps. Harder
worlds beside it: repeats are given 0.85, at that weight and with steps that weigh as much as success.
"""

import numpy as np

from adjudge.rewards import bounded_process
from adjudge.tables.step_rewards import from_arrays

NEEDED, LONGEST, EPISODES, ITERATIONS, RATE, SEEDS = 3, 14, 256, 250, 2.0, 4
CAREFUL, HASTY, REPEAT, ANSWER = range(4)
RIGHT = np.array([0.9, 0.6])


def rollout(logits, rng, repeated):
    """States, actions, rewards by step [LONGEST, EPISODES], which steps were taken, and success."""
    progress, spoiled = np.zeros(EPISODES, int), np.zeros(EPISODES, bool)
    live, success = np.ones(EPISODES, bool), np.zeros(EPISODES)
    rows = []
    for _ in range(LONGEST):
        state = progress + (NEEDED + 1) * spoiled
        chance = np.exp(logits[state])
        chance /= chance.sum(axis=1, keepdims=True)
        action = np.minimum((rng.random(EPISODES)[:, None] > chance.cumsum(axis=1)).sum(axis=1), 3)
        working = (action <= HASTY) & (progress < NEEDED)
        good = rng.random(EPISODES) < RIGHT[np.minimum(action, 1)]
        level = np.where(working & ~good, 0.3, np.where(action == REPEAT, repeated, 0.8))
        level = np.where(spoiled & (action != ANSWER), 0.3, level)
        rows.append((state, action, level + 0.1 * rng.normal(size=EPISODES), live.copy()))
        success += live & (action == ANSWER) & (progress == NEEDED) & ~spoiled
        spoiled |= live & working & ~good
        progress += live & working
        live &= action != ANSWER
    return *(np.array(column) for column in zip(*rows, strict=True)), success


def trained(how, seed, share=0.3, repeated=0.8):
    """Accuracy, steps and repeats of the policy at the end."""
    rng = np.random.default_rng((seed, 145))
    logits, seen = np.zeros((2 * (NEEDED + 1), 4)), np.zeros(3)
    for iteration in range(ITERATIONS + 8):
        state, action, reward, taken, success = rollout(logits, rng, repeated)
        if iteration >= ITERATIONS:
            repeats = taken & (action == REPEAT)
            seen += np.array([success.mean(), taken.sum(axis=0).mean(), repeats.sum(axis=0).mean()])
            continue
        paid = np.zeros_like(reward)
        if how != "success":
            order = taken.T  # episodes one after another, step by step
            steps = from_arrays(reward.T[order], np.nonzero(order)[0], success=success)
            rule = None if how == "sum" else bounded_process.fit(steps, how=how)
            paid.T[order] = steps.step_reward if rule is None else rule.shaped(steps)
        back = share * np.cumsum(paid[::-1], axis=0)[::-1] + success
        s, a, value = state[taken], action[taken], back[taken]
        count = np.bincount(s, minlength=len(logits))
        base = np.bincount(s, value, minlength=len(logits)) / np.maximum(count, 1)
        chance = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        lead = np.zeros_like(logits)
        np.add.at(lead, (s, a), value - base[s])
        logits += RATE / EPISODES * (lead - chance * lead.sum(axis=1, keepdims=True))
        logits = np.clip(logits - logits.mean(axis=1, keepdims=True), -8, 8)
    return seen / 8


print("paid beside success   accuracy   steps   repeats")
mean, each = {}, {}
for how in ("success", "sum", "clip", "delta", "both"):
    each[how] = np.array([trained(how, seed) for seed in range(SEEDS)])
    mean[how] = each[how].mean(axis=0)
    name = "nothing" if how == "success" else how
    print(f"{name:20s}   {mean[how][0]:.3f}     {mean[how][1]:5.1f}   {mean[how][2]:5.1f}")
bounded = ("clip", "delta", "both")
pads = mean["sum"][2] > mean["success"][2] + 2 and mean["sum"][0] < mean["success"][0] - 0.1
stops = {how: bool(mean[how][2] < mean["success"][2] + 1) for how in bounded}
keeps = {how: bool(mean[how][0] > mean["success"][0] - 0.03) for how in bounded}
print(f"\nsums make it pad and be less right: {pads}; bounded rewards stop it: {stops}; and lose nothing: {keeps}")
checks = (pads, all(stops.values()), all(keeps.values()))
held = {}
for share in (0.3, 1.0):
    print(f"\nharder: repeats rated above right steps, steps that weigh {share:g} of success")
    held[share] = []
    for how in bounded:
        hard = np.mean([trained(how, seed, share=share, repeated=0.85) for seed in range(2)], axis=0)
        print(f"{how:20s}   {hard[0]:.3f}     {hard[1]:5.1f}   {hard[2]:5.1f}")
        held[share].append(bool(hard[0] > mean["success"][0] - 0.03))
print(
    f"\nnothing is lost where steps weigh 0.3 of success: {all(held[0.3])}; where they weigh as much: {all(held[1.0])}"
)
if not all(held[1.0]):
    print("there delta pays for the better rated step, and clip for an early answer: bounds do not mend heavy rewards")
verdict = "reproduced" if all((*checks, *held[0.3])) else "partly" if any(checks) else "not reproduced"
print(f"\nCLAIM 145: {verdict} (while steps weigh less than success)")
