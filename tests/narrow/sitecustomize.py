"""First on PYTHONPATH, makes every network of every process at most four units wide: a machine on which turns take no time.
`benchmarks/gates.py --turns quick` uses this."""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

WIDTH = 4


class Narrow(MetaPathFinder):
    """Changes `Layers` once, when its module is imported."""

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != "gan_core.models.blocks":
            return None
        spec = PathFinder.find_spec(name, path)
        if spec is None or spec.loader is None:
            return spec
        run = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            run(module)

            made = module.Layers.__init__

            def init(layers: Any, *given: Any, **named: Any) -> None:
                made(layers, *given, **named)
                object.__setattr__(layers, "widths", tuple(min(width, WIDTH) for width in layers.widths))

            module.Layers.__init__ = init  # type: ignore[misc]

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


sys.meta_path.insert(0, Narrow())
