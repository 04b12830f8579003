"""Frozen classifiers, trained in the background when a data set has none yet; runs do not wait for them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

import torch

from gan_core.data import ImageSource
from gan_core.exhaustion import cannot_tell
from gan_core.training.classifier import FrozenClassifier, TrainingCancelled, classifier_for

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 1.0
Progress = Callable[[float, str], None]


class Classifiers:
    """One frozen classifier per data set, from the cache or trained once."""

    def __init__(self, cache_dir: Path) -> None:
        self._cache_dir = cache_dir
        self._jobs: dict[str, _Preparation] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()

    def get(self, source: ImageSource) -> FrozenClassifier | None:
        """The classifier if it is at hand or in the cache; otherwise None, and it is being trained."""
        try:
            return self._prepare(source).result()
        except RuntimeError as error:  # the system gives no more threads
            log.warning("the frozen classifier of %s waits: %s", source.name, error)
            return None

    def for_run(self, source: ImageSource) -> FrozenClassifier | None:
        """The same for a run, which is told where there will never be one: RuntimeError."""
        preparation = self._prepare(source)
        classifier = preparation.result()
        if classifier is None and preparation.failed:
            raise RuntimeError(preparation.progress[1]) from preparation.error
        return classifier

    def wait(self, source: ImageSource, progress: Progress | None = None) -> FrozenClassifier:
        """The classifier, trained first if need be. Raises RuntimeError if that failed."""
        preparation = self._prepare(source)
        preparation.result()
        while preparation.thread.is_alive():
            if progress is not None:
                progress(*preparation.progress)
            preparation.thread.join(0.2)
        if preparation.classifier is None:
            raise RuntimeError(f"the classifier of {source.name} could not be trained: {preparation.error}")
        return preparation.classifier

    def progress(self, name: str) -> tuple[float, str] | None:
        """How far the classifier of a data set is, (share, sentence); None when there is nothing to say."""
        with self._lock:
            jobs = [job for job in self._jobs.values() if job.source.name == name and job.classifier is None]
        return jobs[-1].progress if jobs else None

    def cancel(self) -> None:
        """Let every training end soon, and begin none."""
        self._closing.set()

    def close(self, timeout: float = 2.0) -> None:
        self.cancel()
        with self._lock:
            jobs = list(self._jobs.values())
        for job in jobs:
            job.thread.join(timeout)

    def _prepare(self, source: ImageSource) -> _Preparation:
        with self._lock:
            key = f"{source.name} {source.fingerprint}"  # the same images may be split in two ways
            job = self._jobs.get(key)
            if job is None or job.may_work_now:
                self._jobs[key] = _Preparation(source, self._cache_dir, self._closing)
            return self._jobs[key]


class _Preparation:
    def __init__(self, source: ImageSource, cache_dir: Path, closing: threading.Event) -> None:
        self.source = source
        self.progress = (0.0, "looking for the frozen classifier")
        self.error: BaseException | None = None
        self.classifier: FrozenClassifier | None = None
        self.thread = threading.Thread(
            target=self._run, args=(cache_dir, closing), name=f"classifier-{source.name}", daemon=True
        )
        self._waited = False
        self.thread.start()

    @property
    def may_work_now(self) -> bool:
        """Whether it failed for a lack of something that may be there again."""
        return not self.thread.is_alive() and cannot_tell(self.error)

    def result(self) -> FrozenClassifier | None:
        # A run asks at every measurement; only the first question is worth a pause, for the cache to be read.
        if not self._waited:
            self._waited = True
            self.thread.join(PATIENCE_SECONDS)
        return self.classifier

    @property
    def failed(self) -> bool:
        """Whether there will never be one, and nobody asked for the end."""
        return self.error is not None and not isinstance(self.error, TrainingCancelled)

    def _run(self, cache_dir: Path, closing: threading.Event) -> None:
        torch.set_num_threads(1)
        try:
            self.classifier = classifier_for(self.source, cache_dir, progress=self._report, cancel=closing.is_set)
        except TrainingCancelled as error:
            self.error = error
        except BaseException as error:  # shown where the histogram would be; the run itself goes on
            log.exception("the frozen classifier of %s could not be trained", self.source.name)
            self.progress = (0.0, f"the frozen classifier could not be trained: {error}")
            self.error = error

    def _report(self, share: float, sentence: str) -> None:
        self.progress = (share, sentence)
