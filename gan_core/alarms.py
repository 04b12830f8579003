"""The verdicts that say that something is wrong with a run; settings name them, and metrics give them."""

from __future__ import annotations

from typing import Literal

Alarm = Literal[
    "narrowing",
    "collapsed",
    "broken",
    "d_too_strong",
    "vanishing_gradient",
    "oscillating",
    "memorising",
    "blurred",
    "off_prior",
    "code_ignored",
    "input_ignored",
    "class_lost",
    "exchanged",
    "posterior_collapsed",
    "diverged",
]
