"""Why a mutant that no test notices is no fault: by its module, and by what was done to which line."""

_STAMP = "if not (stamp.isascii() and stamp.isdigit()) or len(stamp) > 12:"
_POWER = "what only the loss of power would show; that each file and its folder are flushed is counted elsewhere"

EQUAL: dict[tuple[str, str], str] = {
    (
        "ui/rights.py",
        "if room is None or not room.teachers: | without `not room.teachers`",
    ): "without a list of mails nobody teaches by mail, and nobody has a voucher that could be withdrawn",
    (
        "server/class_routes.py",
        'return visitor.role == "teacher" or (room is not None and room.key.vouches_for(visitor.id))'
        " | without `room is not None`",
    ): "for the type check: where there is no class, everybody is a teacher",
    (
        "server/headers.py",
        'if scope["type"] != "http": | never so',
    ): "no message of a socket or of the lifespan is the start of a response, and all others pass as they are",
    (
        "server/class_routes.py",
        "waiting.cancel() | without `waiting.cancel()`",
    ): "one task more that waits for the next news, and ends with these",
    (
        "server/asking.py",
        "except (WebSocketDisconnect, RuntimeError, KeyError): | `RuntimeError` is not caught",
    ): "a socket that broke while an answer was sent to it: one traceback more in the log, and nobody misses anything",
    (
        "server/asking.py",
        "task.add_done_callback(answering.discard) | without `task.add_done_callback(answering.discard)`",
    ): "tasks that have ended are kept until their page is gone, some bytes for each question",
    (
        "server/connections.py",
        "except ImportError:  # not on Windows | not caught",
    ): "where the tests run there is such a module",
    (
        "server/live.py",
        "self._news.set() | without `self._news.set()`",
    ): "who has gone is let go with the next look, two seconds later",
    **dict.fromkeys(
        (
            ("server/live.py", "if since >= view.cursor - 1: | never so"),
            (
                "server/live.py",
                "if since >= view.cursor - 1: | the bound of `since >= view.cursor - 1` shifted by one",
            ),
        ),
        "the same delta, made in another thread",
    ),
    (
        "server/tickets.py",
        f"{_STAMP} | the bound of `len(stamp) > 12` shifted by one",
    ): "the expiry of a ticket has ten digits",
    ("server/tickets.py", "os.fsync(descriptor) | without `os.fsync(descriptor)`"): _POWER,
    (
        "server/access.py",
        "if not separator or scheme not in _DEFAULT_PORTS: | without `not separator`",
    ): "what has no scheme has no host either, and is refused as another site",
    (
        "server/roles.py",
        "return bool(session) and _hash(session) in self._sessions | without `bool(session)`",
    ): "no session has the hash of an empty text",
    (
        "checkpoints.py",
        "if cause is not None and cannot_tell(cause): | without `cause is not None`",
    ): "for the type check: of no error nothing is left open",
    (
        "intake/numerals.py",
        "if not text or text.isdecimal() or len(text) > LONGEST: | without `text.isdecimal()`",
    ): "spares the time: in digits alone there is nothing to tidy",
    (
        "intake/numerals.py",
        'if not text or len(text) > LONGEST or (text[-1].isdecimal() and text[0] in "+-.,0123456789"):'
        " | without `text[-1].isdecimal() and text[0] in '+-.,0123456789'`",
    ): "spares the time: what begins and ends as a number carries no unit",
    (
        "intake/numerals.py",
        'candidates = [marks for marks in candidates if marks.thousands in ("", ".")] | whatever it is',
    ): "spares the time: marks that stand in no cell fit as the plain ones do, which come first",
    (
        "intake/dialects.py",
        "if '\"' not in text: | never so",
    ): "spares the time: without a quote the reader of CSV splits in the same places",
    (
        "intake/layout.py",
        "folders = {folder for folder in places if any(map(_MASKS.fullmatch, folder))} | whatever it is",
    ): "spares the time: beside a folder without such a word nothing is looked for",
    (
        "store/fsck.py",
        "if isinstance(error.__cause__, OSError | MemoryError) and cannot_tell(error.__cause__):"
        " | without `isinstance(error.__cause__, OSError | MemoryError)`",
    ): "for the type check: of no error and of any other nothing is left open",
    (
        "store/writer.py",
        "failpoint(\"store.after_commit\") | without `failpoint('store.after_commit')`",
    ): "where tests kill a program of theirs, which has the code as it is",
    (
        "store/writer.py",
        "self._changed.wait_for(lambda: self._queue or self._closing)"
        " | without `self._changed.wait_for(lambda: self._queue or self._closing)`",
    ): "an idle writer wakes four times a second and finds nothing to do",
    (
        "intake/archive.py",
        "if not more or len(held) > 2 * _BLOCK:  # no entry is so long"
        " | the bound of `len(held) > 2 * _BLOCK` shifted by one",
    ): "a directory without an entry is given up one block earlier",
    (
        "intake/apart.py",
        "if time.monotonic() - heard > SILENT_SECONDS:"
        " | the bound of `time.monotonic() - heard > SILENT_SECONDS` shifted by one",
    ): "of two readings of a clock nobody meets the very bound",
    (
        "intake/reader.py",
        "main() | without `main()`",
    ): "only the program is started so, and tests/engine/test_read_apart.py, which starts it, has it as it is",
    (
        "intake/decode.py",
        "if values.dtype == np.uint16:  # half a gigabyte of floats less for a large one | never so",
    ): "the same values, looked up in a table rather than computed row by row",
    ("intake/decode.py", "if orientation == 1: | never so"): "a copy of the same picture",
    (
        "intake/tables.py",
        "if np.isfinite(values).sum() > 0.5 * (~missing).sum():"
        " | the bound of `np.isfinite(values).sum() > 0.5 * (~missing).sum()` shifted by one",
    ): "where half of the cells are plain numbers no unit is carried by nine of ten",
}
