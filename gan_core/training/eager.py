"""The optimisers of torch for code that is not compiled: they never import ``torch._dynamo``, torch's compiler.

Torch decorates ``step`` and four methods so that its compiler stops there, and the decorators import the compiler at the
first call: 1.2 CPU seconds and 150 MB in every process that trains.
"""

from __future__ import annotations

import inspect
from typing import Any, TypeVar

import torch
from torch.optim import Optimizer

T = TypeVar("T", bound=Optimizer)
STOPS_THE_COMPILER = ("add_param_group", "load_state_dict", "state_dict", "zero_grad")


def eager(optimizer: type[T]) -> type[T]:
    """The same optimiser, the same numbers bit for bit, as a subclass without those decorators."""
    plain = inspect.unwrap(optimizer.step)

    def step(self: T, closure: Any = None) -> Any:
        with torch.no_grad():  # what the decorator does besides
            return plain(self, closure)

    methods = {name: inspect.unwrap(getattr(optimizer, name)) for name in STOPS_THE_COMPILER}
    return type(optimizer.__name__, (optimizer,), {"step": step, **methods})


Adam = eager(torch.optim.Adam)
AdamW = eager(torch.optim.AdamW)
RMSprop = eager(torch.optim.RMSprop)
SGD = eager(torch.optim.SGD)
