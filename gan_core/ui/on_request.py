"""What the page of a run works out when somebody asks for it, a section each."""

from __future__ import annotations

from gan_core.config import RunConfig
from gan_core.store import RunRecord
from gan_core.ui import blending, copying, disentangling, hiding
from gan_core.ui.uses import starting


def show(run: RunRecord, config: RunConfig) -> None:
    """The sections that a run of this kind has."""
    disentangling.show(run.id, config)
    hiding.show(run.id, config)
    blending.show(run)
    copying.show(run.id, config)
    starting.of_a_run(run)
