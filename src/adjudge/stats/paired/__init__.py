"""The paired-comparison engine: likelihoods of win, tie and loss, their fit, and the error of that fit."""
