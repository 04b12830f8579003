"""Every way into the program that `bad_inputs.py` tries, around a store with one run that has ended."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import random
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import gan_core.engine
from benchmarks.hostile import (
    BAD_VALUES,
    HOSTILE,
    altered,
    altered_value,
    bomb,
    lying,
    many_entries,
    overlapping,
    picture,
    zipped,
)
from gan_core import checkpoints, cli
from gan_core.config import (
    Comparison,
    ConfigError,
    RunConfig,
    parse_budget,
    parse_seeds,
    parse_vary,
    preset_config,
)
from gan_core.data import DataError, shelf
from gan_core.engine import Lab, Refused
from gan_core.engine.exchange.packs import write_pack
from gan_core.engine.exchange.unpacking import read_pack
from gan_core.intake import points
from gan_core.intake.decode import Refusal, Shape, decode
from gan_core.intake.pictures import MIN_IMAGES, folder_below
from gan_core.server.access import OurSite
from gan_core.server.class_routes import class_routes, obey
from gan_core.server.classroom import Classroom
from gan_core.server.live import routes
from gan_core.server.roles import NotAllowed, Visitor
from gan_core.server.tickets import open_tickets
from gan_core.store import RunNotFound, RunStore, StoreError, reserve
from gan_core.training import CheckpointError, build, load_checkpoint, load_source, resolve, restore

SMALL = {
    "model.generator.widths": [6, 5],
    "model.discriminator.widths": [7, 4],
    "data.batch_size": 8,
    "diagnostics.samples": 16,
    "schedule.rounds": 6,
    "device": "cpu",
}
PAGES = ("home", "train", "watch", "compare", "runs", "data", "library", "collapse", "theory", "lessons")
PARAMETERS = (
    *("run", "beside", "comparison", "preset", "part", "from", "data", "tab", "baseline", "cause", "lesson", "step"),
    *("act", "objective", "at", "round", "k", "sigma", "seed", "page"),
)
ROUTES = (
    "/live/{}",
    "/live/{}/state",
    "/live/{}/artefact/{}",
    "/live/recent",
    "/assets/{}",
    "/class/{}",
    "/class/teacher/enter",
)
KNOWN: tuple[type[Exception], ...] = (
    ConfigError,
    DataError,
    Refused,
    RunNotFound,
    StoreError,
    CheckpointError,
    Refusal,
)


@dataclass(frozen=True)
class Entry:
    """One way into the program. ``make`` draws an input, ``deliver`` hands it in; it returns the answer, "" if it was taken,
    and may raise what is ``known``, whose text is the answer then."""

    name: str
    make: Callable[[random.Random], Any]
    deliver: Callable[[Any], str]
    known: tuple[type[Exception], ...] = KNOWN
    share: float = 1.0  # of the inputs that every entry gets
    local: bool = False  # a terminal of the owner's own machine: a path that was typed may be said


class Workplace:
    """A store with one run that has ended, in the middle of a folder where nothing else may appear."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "a" / "b" / "runs"
        self.config = resolve(preset_config("ring-mlp", SMALL))
        self.lab = Lab(self.root, executor="thread", tick=0.05)
        self.run = self.lab.wait(self.lab.submit(self.config, name="a run"), 120).id
        assert self.lab.store.run(self.run).status == "finished", self.lab.store.run(self.run).message
        self.room = Classroom(link="http://localhost/")
        self.scratch = self.root / "cache" / "scratch"  # of the bench itself
        self.scratch.mkdir(parents=True)
        os.chdir(folder / "a" / "b")
        gan_core.engine._current = self.lab  # the one that pages find
        for page in PAGES:  # what each imports is not the time of an input
            _open_address((page, {}))

    def outside(self) -> set[str]:
        return {
            str(path.relative_to(self.folder))
            for path in self.folder.rglob("*")
            if self.root not in path.parents and path != self.root
        }


# -- what is handed in


def entries(place: Workplace) -> Iterator[Entry]:
    """Every entry. Inputs are half alterations of what is right, half made to do harm."""
    yield Entry("config files", lambda rng: _config_file(rng, place.config), _read_config)
    yield Entry("comparisons, seeds, budgets", lambda rng: _comparison(rng, place.config), _read_comparison, share=0.5)
    yield Entry("URL parameters", lambda rng: _address(rng, place.run), _open_address, share=0.4)
    yield Entry("tables (CSV)", _table, lambda content: points.from_csv(content).summary and "")
    yield Entry("pictures", _picture, lambda content: decode(content, Shape(16, 3)).size and "")
    yield Entry("zips of pictures", _zip, lambda content: _bring_zip(place, content), share=0.5)
    packs = [_pack(place, with_checkpoints) for with_checkpoints in (False, True)]
    yield Entry("packs", lambda rng: _bad_pack(rng, rng.choice(packs)), lambda content: _read_pack(place, content))
    newest = checkpoints.checkpoints(place.lab.store.checkpoint_dir(place.run))[-1]
    yield Entry("checkpoints", lambda rng: _bad_checkpoint(rng, newest), lambda made: _read_checkpoint(place, *made))
    yield Entry("names, notes, tags, ids, knobs", _text, lambda text: _write_text(place, text))
    yield Entry("names of folders and data sets", _text, lambda text: _look_for(place, text), share=0.5)
    yield Entry("routes", lambda rng: _request(rng, place), lambda scope: _ask(place, scope))
    yield Entry("messages of a page to the class", _message, lambda text: _tell(place, text))
    yield Entry("command line", lambda rng: _arguments(rng, place), _command_line, (), share=0.5, local=True)


def _text(rng: random.Random) -> str:
    if rng.random() < 0.5:
        return rng.choice(HOSTILE)
    return "".join(
        chr(rng.choice((rng.randrange(0x20), rng.randrange(0x3000), rng.randrange(0x11000)))) for _ in range(40)
    )


def _config_file(rng: random.Random, config: RunConfig) -> bytes:
    whole = json.dumps(config.to_dict()).encode()
    match rng.randrange(5):
        case 0:
            return altered(whole, rng)
        case 1:
            return rng.choice(
                (b"[" * 50_000, b'{"a":' * 20_000, rng.randbytes(200), b"", whole * 300, b'{"seed":1,"seed":2}')
            )
        case _:
            return json.dumps(altered_value(config.to_dict(), rng)).encode()


def _read_config(content: bytes) -> str:
    resolve(RunConfig.from_json(content))
    return ""


def _comparison(rng: random.Random, config: RunConfig) -> tuple[Callable[[Any], Any], Any]:
    good = {"base": config.to_dict(), "variants": [{"name": "a"}, {"name": "b", "changes": {"objective": "ls_gan"}}]}
    spec = good | {"seeds": [0, 1], "rounds": 6}
    match rng.randrange(5):
        case 0:
            return parse_seeds, rng.choice(("1-", "3-1", "0-99999999999", "-1", "", ",", "1,,2", _text(rng)))
        case 1:
            return parse_budget, rng.choice(("9e999s", "-1 rounds", "images", "1e30", "nan", _text(rng)))
        case 2:
            return parse_vary, [rng.choice(("objective=", "=", "lr=1,2", "a.b.c=1,2", _text(rng)))]
        case _:
            return Comparison.load, altered_value(spec, rng)


def _read_comparison(asked: tuple[Callable[[Any], Any], Any]) -> str:
    read, given = asked
    read(given)
    return ""


def _address(rng: random.Random, run: str) -> tuple[str, dict[str, str]]:
    values = [*HOSTILE, run, run.upper(), "-1", "1e999", "nan", "0", "9" * 400, "datasets:", "objectives:x", "own:x-0"]
    return rng.choice(PAGES), {rng.choice(PARAMETERS): rng.choice(values) for _ in range(rng.randint(1, 4))}


def _open_address(address: tuple[str, dict[str, str]]) -> str:
    from streamlit.testing.v1 import AppTest

    page, query = address
    app = AppTest.from_file(str(ROOT / "pages" / "router.py"), default_timeout=60)
    if page != "home":
        app.switch_page(f"{page}.py")
    for name, value in query.items():
        app.query_params[name] = value.encode("utf-8", "replace").decode()
    app.run()
    if app.exception:
        raise AssertionError(f"{page} {query}: {app.exception[0].message}")
    return "\n".join(element.value for element in (*app.error, *app.warning))


def _table(rng: random.Random) -> bytes:
    good = "x,y\n" + "\n".join(f"{rng.gauss(0, 1):.4f},{rng.gauss(0, 1):.4f}" for _ in range(60))
    match rng.randrange(4):
        case 0:
            return altered(good.encode(), rng)
        case 1:
            return rng.choice(
                (
                    b"",
                    b"\0" * 10**6,
                    b"," * 10**6,
                    b"1,2\n" * 10**6,
                    b"\xff\xfe" * 100,
                    b'"' * 10**5,
                    b"=cmd(),2\n" * 60,
                )
            )
        case 2:
            return "\n".join(f"{rng.choice(BAD_VALUES)!s:.50},{_text(rng)}" for _ in range(60)).encode(
                "utf-8", "replace"
            )
        case _:
            return good.replace(",", rng.choice(";\t |\0🙂"), rng.randrange(120)).encode()


def _picture(rng: random.Random) -> bytes:
    kind = rng.choice(("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM"))
    match rng.randrange(8):
        case 0:
            return bomb(rng.choice((9_000, 60_000, 2**31 - 1)), rng.choice((8_000, 60_000)))
        case 1:
            return rng.choice(
                (b"", b"<svg/>" * 50, b"%!PS-Adobe", rng.randbytes(5000), picture(size=(1, 1)), picture(size=(500, 2)))
            )
        case _:
            return altered(picture(rng.randrange(9), (48, 40), kind=kind), rng)


def _zip(rng: random.Random) -> bytes:
    good = {f"{number:02}.png": picture(number) for number in range(MIN_IMAGES)}
    match rng.randrange(6):
        case 0:
            special: tuple[Callable[[], io.BytesIO], ...] = (
                overlapping,
                lambda: many_entries(10**6),
                lambda: many_entries(60_001),
                lambda: lying(rng.choice((0, 100, 900_000_000)), good),
                lambda: zipped(good | {"zeros.bmp": bytes(30_000_000)}),
                lambda: zipped(good | {"inner.zip": zipped(good).getvalue()}),
            )
            return rng.choice(special)().getvalue()
        case 1:
            return zipped({f"{_name(rng)}/{_name(rng)}.png": content for content in good.values()}).getvalue()
        case 2:
            return zipped({name: altered(content, rng) for name, content in good.items()}).getvalue()
        case _:
            return altered(zipped(good).getvalue(), rng)


def _name(rng: random.Random) -> str:
    return rng.choice(("..", "/etc", "C:\\x", "CON", "a\\..\\b", "x" * 300, "\u202ea", "é", "a.png")) + str(
        rng.randrange(99)
    )


def _pack(place: Workplace, with_checkpoints: bool) -> bytes:
    file = io.BytesIO()
    write_pack(place.lab.store, place.run, file, with_checkpoints=with_checkpoints)
    return file.getvalue()


def _bad_pack(rng: random.Random, good: bytes) -> bytes:
    import zipfile

    if rng.random() < 0.25:
        return altered(good, rng)
    with zipfile.ZipFile(io.BytesIO(good)) as pack:
        files = {name: pack.read(name) for name in pack.namelist()}
    name = rng.choice(list(files))
    match rng.randrange(5):
        case 0:
            del files[name]
        case 1:
            files[f"{rng.choice(('', 'runs/', 'runs/x/'))}{_name(rng)}"] = files[name]
        case 2:
            files[name] = altered(files[name], rng)
        case _:
            name = rng.choice([one for one in files if one.endswith(".json")])
            files[name] = json.dumps(altered_value(json.loads(files[name]), rng)).encode()
    return zipped({name.encode("utf-8", "replace").decode(): content for name, content in files.items()}).getvalue()


def _bring_zip(place: Workplace, content: bytes) -> str:
    """As the Data page does, whose chores keep every exception; one that is no sentence is a crash here too."""
    chore = place.lab.chores.keep_zip("zip", io.BytesIO(content), "pictures", 16, 3, "crop")
    chore.wait()
    place.lab.chores.forget("zip")
    if chore.error is None:
        assert chore.result is not None
        place.lab.chores.delete(chore.result)
    elif re.match(r"\w+(Error|Exception): ", chore.error):
        raise AssertionError(chore.error)
    return chore.error or ""


def _read_pack(place: Workplace, content: bytes) -> str:
    root = place.scratch / "packs"
    with RunStore(root) as store:
        try:
            read_pack(store, io.BytesIO(content))
        finally:
            before = {"ganscope.db", "ganscope.db-wal", "ganscope.db-shm", reserve.NAME} | {
                getattr(run, "id", "") for run in store.runs()
            }
            left = {path.name for path in root.iterdir()} - before
    shutil.rmtree(root)
    if left:
        raise AssertionError(f"left behind: {sorted(left)}")
    return ""


def _bad_checkpoint(rng: random.Random, path: Path) -> tuple[bytes, bytes, bool]:
    """Tensors, manifest, and whether it is to be sealed anew: whoever alters a file can do that too."""
    tensors, manifest = checkpoints.tensors_of(path).read_bytes(), path.read_bytes()
    match rng.randrange(4):
        case 0:
            return altered(tensors, rng), manifest, False
        case 1:
            return tensors, altered(manifest, rng), False
        case 2:
            return altered(tensors, rng), manifest, True
        case _:
            return tensors, json.dumps(altered_value(json.loads(manifest), rng)).encode(), True


def _read_checkpoint(place: Workplace, tensors: bytes, manifest: bytes, seal: bool) -> str:
    folder = place.scratch / "checkpoints"
    folder.mkdir()
    try:
        path = checkpoints.path_of(folder, 6)
        path.write_bytes(manifest)
        checkpoints.tensors_of(path).write_bytes(tensors)
        if seal:
            told = json.loads(manifest)
            if isinstance(told, dict) and isinstance(told.get("values"), dict):
                checkpoints.write(folder, 6, tensors, told["values"])
        state = load_checkpoint(path)
        game = build(place.config, load_source(place.config))
        try:
            restore(game, state)
        except ValueError as error:  # what it says it raises
            return str(error)
        return ""
    finally:
        shutil.rmtree(folder)


def _write_text(place: Workplace, text: str) -> str:
    store = place.lab.store
    store.update(place.run, name=text, note=text, tags=[text, text])
    store.flush()
    run = store.run(place.run)
    if len(run.name) > 120 or len(run.note) > 4000 or "\0" in run.name + run.note:
        raise AssertionError("it was kept as it came")
    json.dumps([run.name, run.note, *run.tags], ensure_ascii=False).encode()
    said = []
    asks: tuple[Callable[[], Any], ...] = (
        lambda: place.lab.view(text),
        lambda: place.lab.resume(text),
        lambda: place.lab.delete(text),
        lambda: place.lab.fork(place.run, {text: 1}),
        lambda: place.lab.turn(place.run, {text: float("nan")}),
        lambda: place.lab.command(place.run, text),  # type: ignore[arg-type]
        lambda: store.artefact_path(place.run, text),
        lambda: place.config.replace({text: text}),
    )
    for ask in asks:
        try:
            ask()
        except KNOWN as error:
            said.append(str(error))
    if len(said) < len(asks):
        raise AssertionError(f"{len(asks) - len(said)} of {len(asks)} questions were taken")
    return "\n".join(said)


def _look_for(place: Workplace, text: str) -> str:
    said = []
    for ask in (lambda: shelf.find(text), lambda: shelf.delete(f"own:{text}"), lambda: folder_below(place.root, text)):
        try:
            ask()
        except KNOWN as error:
            said.append(str(error))
    return "\n".join(said)


def _request(rng: random.Random, place: Workplace) -> dict[str, Any]:
    texts = [*HOSTILE, place.run, "recent", "..", "%2e%2e%2f", "a" * 9000]
    path = rng.choice(ROUTES).format(rng.choice(texts), rng.choice(texts))
    ticket = rng.choice((open_tickets(place.root).mint("*"), "", "1.x", "9" * 5000, rng.choice(texts)))
    query = "&".join(
        f"{name}={rng.choice((ticket, *texts, '-1', '9' * 30, 'nan'))}"
        for name in ("ticket", "since", "limit")
        if rng.random() < 0.7
    )
    headers = {"host": rng.choice(("localhost", "localhost", "localhost", "evil.example", "", "[::1", *texts))}
    for name in ("origin", "cookie", "x-ganscope", "content-length", "range", "accept-encoding", "if-none-match"):
        if rng.random() < 0.2:
            headers[name] = rng.choice((*texts, "1", "bytes=5-1", "ganscope_teacher=" + rng.choice(texts)))
    return {
        "type": "http",
        "method": rng.choice(("GET", "GET", "GET", "POST", "PUT", "HEAD")),
        "path": path.encode("utf-8", "replace").decode(),
        "raw_path": path.encode("utf-8", "replace"),
        "query_string": query.encode("utf-8", "replace"),
        "headers": [(name.encode(), value.encode("utf-8", "replace")) for name, value in headers.items()],
        "http_version": "1.1",
        "scheme": "http",
        "server": ("localhost", 80),
        "client": ("127.0.0.1", 1),
        "root_path": "",
        "extensions": {},
        "body": rng.randbytes(rng.choice((0, 10, 100_000))),
    }


def _ask(place: Workplace, scope: dict[str, Any]) -> str:
    """The answer of the application's own routes; one that is no success must be a sentence in JSON."""
    from starlette.applications import Starlette
    from starlette.middleware import Middleware

    ours = Middleware(OurSite, allowed_hosts=list)
    app = Starlette(routes=[*class_routes(lambda: place.room), *routes(lambda: place.lab)], middleware=[ours])
    body, said = [scope.pop("body")], []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body.pop() if body else b"", "more_body": False}

    async def send(message: Any) -> None:
        said.append(message)

    asyncio.run(app(scope, receive, send))
    status = said[0]["status"]
    content = b"".join(message.get("body", b"") for message in said[1:])
    if status >= 500:
        raise AssertionError(f"{status}: {content[:200]!r}")
    if (
        status < 400 or scope["method"] == "HEAD" or status == 405
    ):  # Starlette's own words for a method that is not there
        return ""
    return str(json.loads(content)["error"])


def _message(rng: random.Random) -> str:
    verbs = ("look", "lead", "answer", "reveal", "end", "note", "drop", "x")
    good = {"do": rng.choice(verbs), "at": ["watch", {}], "on": True, "poll": 1, "option": 1, "text": "x", "note": 1}
    match rng.randrange(4):
        case 0:
            return altered(json.dumps(good).encode(), rng).decode("utf-8", "replace")
        case 1:
            return rng.choice(
                ("[" * 4000, '{"a":' * 800, '{"do":"answer","poll":1e999,"option":1}', "null", "3", '"do"', "")
            )
        case _:
            return json.dumps(
                {name: rng.choice((value, *BAD_VALUES)) for name, value in good.items()} | {"do": good["do"]}
            )


def _tell(place: Workplace, text: str) -> str:
    """As the socket's listener does."""
    from gan_core.server.class_routes import MOST_BODY, NONSENSE

    if len(text) > MOST_BODY:
        return ""
    for role in ("watcher", "teacher"):
        try:
            obey(place.room, Visitor(role, "somebody"), json.loads(text))  # type: ignore[arg-type]
        except NotAllowed as error:
            return str(error)
        except NONSENSE:
            return "The server did not understand this."
    json.loads(place.room.state(Visitor("watcher", "somebody")))
    return ""


def _arguments(rng: random.Random, place: Workplace) -> list[str]:
    text = os.fsdecode(_text(rng).replace("\0", "").encode("utf-8", "surrogatepass"))  # as a shell can hand it over
    paths = [str(place.folder / name) for name in ("nowhere", "nowhere/x.zip")] + [
        "/proc/self/mem",
        "/dev/null",
        "",
        text,
    ]
    commands = [
        ["train", "--preset", text],
        ["train", "--set", text],
        [
            "train",
            "--set",
            f"{rng.choice(('seed', 'data.batch_size', 'schedule.rounds', 'optimizers.generator.lr', 'data.name'))}={text}x",
        ],
        ["train", "--config", rng.choice(paths)],
        ["show", text],
        ["resume", text],
        ["fork", text, "--set", text],
        ["export", text],
        ["export", place.run, "--to", str(place.folder / "nowhere" / "x.zip")],
        ["import", rng.choice(paths)],
        ["compare", "--vary", text],
        ["compare", "--template", text],
        ["compare", "--vary", "objective=ns_gan,wgan_gp", "--seeds", text + "x"],
        ["runs", "--limit", text + "x"],
        ["restore", rng.choice(paths)],
        [text],
        [rng.choice(("show", "train", "fsck")), text, text],
    ]
    return [
        *rng.choice(commands),
        *(["--store", str(place.root)] if rng.random() < 0.8 else ["--store", rng.choice(paths)]),
    ]


def _command_line(arguments: list[str]) -> str:
    errors, out = io.StringIO(), io.StringIO()
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(out):
        try:
            status = cli.main(arguments)
        except SystemExit as end:  # argparse: a usage, then what is wrong in its last line
            status, told = int(end.code or 0), errors.getvalue().splitlines()
            return told[-1] if told else ""
    if status == 0 and out.getvalue():
        return ""
    return errors.getvalue().strip() or out.getvalue().strip()
