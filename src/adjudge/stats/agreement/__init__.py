"""Coefficients of agreement between raters, each a function of sums over items, so that their errors come cheaply."""
