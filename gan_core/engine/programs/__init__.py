"""Programs of the engine, each a process of its own that ends with whoever started it."""

from gan_core.engine.programs.starting import Program, forks, let_go, prepare, start

__all__ = ["Program", "forks", "let_go", "prepare", "start"]
