"""What makes what visitors ask of stored games: ``python -m gan_core.lifeline gan_core.engine.answering.process STORE``.

It hears lines of JSON, a batch each: ``[[id, visitor, run, round, recipe], …]``, and says lines ``id answer``, and ``0``
when a batch is done. All looks of a batch into one game are one forward pass; what takes longer is done in slices between
batches, and what a visitor asks of that kind replaces what that visitor asked before. Its niceness is the greatest: what
trains goes first.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import threading
import traceback
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Any

from gan_core.engine.answering.lanes import lane
from gan_core.engine.drawing import looks as drawing
from gan_core.engine.drawing import recipes as drawn
from gan_core.engine.drawing.board import Board
from gan_core.engine.drawing.studies import STUDIES as OF_BOARDS
from gan_core.engine.environment import compute_on_one_thread
from gan_core.engine.latent.looks import Answer, answers, needs
from gan_core.engine.latent.recipes import Recipe, Wrong
from gan_core.engine.latent.space import Space, open_space
from gan_core.engine.latent.studies import STUDIES
from gan_core.priority import give_way
from gan_core.store import RunNotFound, RunStore, StoreError

NICENESS = 19
SPACES, BOARDS = 3, 8  # that are held open at once
IDLE_SECONDS = 900.0  # without a question after which the process ends; the next one starts another
FAILED = "The server could not answer; its log says why."

Ask = tuple[int, str, str, int | None, Recipe]


class Answerer:
    """Answers asks by the spaces and the boards of one store."""

    def __init__(self, store: RunStore, say: Any) -> None:
        self._store, self._say = store, say
        self._spaces: OrderedDict[tuple[str, int | None], Space] = OrderedDict()
        self._boards: OrderedDict[str, Board] = OrderedDict()
        self._studies: OrderedDict[tuple[str, str], tuple[int, Iterator[Answer | None]]] = OrderedDict()

    @property
    def busy(self) -> bool:
        return bool(self._studies)

    def space(self, run: str, at: int | None) -> Space:
        key = run, at
        if key not in self._spaces:
            while len(self._spaces) >= SPACES:
                self._spaces.popitem(last=False)
            self._spaces[key] = open_space(self._store, run, at)
        self._spaces.move_to_end(key)
        self._spaces[key].look_for_judge(self._store.root / "cache")
        return self._spaces[key]

    def board(self, run: str) -> Board:
        if run not in self._boards:
            while len(self._boards) >= BOARDS:
                self._boards.popitem(last=False)
            self._boards[run] = Board(self._store, run)
        self._boards.move_to_end(run)
        return self._boards[run]

    def heed(self, batch: list[Ask]) -> None:
        """Answer the quick ones of a batch, and begin what takes longer."""
        quick: dict[tuple[str, int | None, bool], list[tuple[int, Recipe]]] = {}
        for id, visitor, run, at, recipe in batch:
            with _Said(self._say, id):
                of_board = recipe["do"] in drawn.LANES
                if lane(recipe) == "slow":
                    self._begin((visitor, "slow"), id, self._study(run, at, recipe))
                elif not of_board and (wanted := needs(recipe)):
                    self._begin((visitor, "quick"), id, _prepared(self.space(run, at), wanted, recipe))
                else:
                    quick.setdefault((run, at, of_board), []).append((id, recipe))
        for (run, at, of_board), asked in quick.items():
            recipes = [recipe for _, recipe in asked]
            try:
                found = (
                    drawing.answers(self.board(run), at, recipes) if of_board else answers(self.space(run, at), recipes)
                )
            except Exception as error:
                found = [{"error": _sentence(error)}] * len(asked)
            for (id, _), answer in zip(asked, found, strict=True):
                self._say(id, answer)

    def _study(self, run: str, at: int | None, recipe: Recipe) -> Iterator[Answer | None]:
        do = recipe["do"]
        return (
            OF_BOARDS[do](self.board(run), at, recipe) if do in OF_BOARDS else STUDIES[do](self.space(run, at), recipe)
        )

    def _begin(self, visitor: tuple[str, str], id: int, study: Iterator[Answer | None]) -> None:
        replaced = self._studies.pop(visitor, None)
        if replaced is not None:
            self._say(replaced[0], None)
        self._studies[visitor] = id, study

    def go_on(self) -> None:
        """One slice of the study whose turn it is."""
        visitor, (id, study) = self._studies.popitem(last=False)
        with _Said(self._say, id):
            answer = next(study, FINISHED)
            if answer is None:
                self._studies[visitor] = id, study
            else:
                self._say(id, answer)


FINISHED: Answer = {"error": FAILED}


def _prepared(space: Space, wanted: set[str], recipe: Recipe) -> Iterator[Answer | None]:
    """A look that needs something first, as a study: what is there already costs nothing."""
    for what in wanted:
        yield from space.preparing(what)
    yield answers(space, [recipe])[0]


class _Said:
    """Whatever goes wrong inside is the answer, in a sentence."""

    def __init__(self, say: Any, id: int) -> None:
        self._say, self._id = say, id

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        if isinstance(error, Exception):
            self._say(self._id, {"error": _sentence(error)})
            return True
        return False


def _sentence(error: Exception) -> str:
    if isinstance(error, Wrong | StoreError | RunNotFound):
        return str(error)
    traceback.print_exception(error)
    return FAILED


def main(root: str) -> None:
    give_way(NICENESS)
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever else prints
    compute_on_one_thread()
    heard: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_listen, args=(incoming, heard), daemon=True).start()

    def say(id: int, answer: Answer | None) -> None:
        text = "" if answer is None else json.dumps(answer, separators=(",", ":"))
        outgoing.write(f"{id} {text}\n".encode())
        outgoing.flush()

    with RunStore(Path(root)) as store:
        answerer = Answerer(store, say)
        for _ in itertools.count():
            try:
                line = heard.get(block=not answerer.busy, timeout=None if answerer.busy else IDLE_SECONDS)
            except Empty:
                if not answerer.busy:
                    return
                answerer.go_on()
                continue
            if not line:
                return
            answerer.heed([tuple(one) for one in json.loads(line)])
            say(0, None)


def _listen(incoming: IO[bytes], heard: SimpleQueue[bytes]) -> None:
    for line in incoming:
        heard.put(line)
    heard.put(b"")


if __name__ == "__main__":
    main(*sys.argv[1:])
