"""What a cell of a study is computed with: the store, the data, the run that is asked, and a place for pictures."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cached_property
from typing import TypeVar

from gan_core.config.studies import StudySettings
from gan_core.data import DATASETS, ImageSource
from gan_core.data.places import use_store
from gan_core.engine.exchange.generator import Generator, Opened, open_game, open_generator
from gan_core.intake.errors import Cancelled, DataError
from gan_core.store import RunStore

T = TypeVar("T")
MOST_SHARED = 4


class Bench:
    """Of one study. ``progress(share)`` tells how far the cell is; ``stopped()`` whether somebody asked for the end."""

    def __init__(
        self,
        store: RunStore,
        study: str,
        settings: StudySettings,
        progress: Callable[[float], None] = lambda share: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self.store, self.study, self.settings = store, study, settings
        self.progress, self.stopped = progress, stopped
        self._shared: dict[Hashable, object] = {}

    def check(self) -> None:
        """Raises Cancelled where somebody asked for the end; what was begun is then lost with its cell."""
        if self.stopped():
            raise Cancelled("Stopped.")

    @cached_property
    def source(self) -> ImageSource:
        """The images of the settings, with labels or without. Raises DataError."""
        use_store(self.store.root)
        name = self.settings.data
        if name not in DATASETS:
            raise DataError(f"There is no data set {name!r}.")
        source = DATASETS[name].load(**{**DATASETS[name].options, **self.settings.options})
        if not isinstance(source, ImageSource):
            raise DataError(f"A study needs images; {name!r} has none.")
        return source

    @cached_property
    def opened(self) -> Opened:
        """The game of the run that is asked. Raises as `open_game`."""
        return open_game(self.store, self.settings.run, self.settings.at)

    @cached_property
    def generator(self) -> Generator:
        """The G of the run that is asked. Raises as `open_generator`."""
        return open_generator(self.store, self.settings.run, self.settings.at)

    def shared(self, key: Hashable, make: Callable[[], T]) -> T:
        """What several cells need and each could make alone: made once while the last few are remembered."""
        if key not in self._shared:
            made = make()
            while len(self._shared) >= MOST_SHARED:
                del self._shared[next(iter(self._shared))]
            self._shared[key] = made
        return self._shared[key]  # type: ignore[return-value]

    def save(self, kind: str, suffix: str, data: bytes) -> str:
        """Keep a file beside the study; the name that is returned goes into the values of the cell."""
        return self.store.studies.save(self.study, kind, suffix, data)
