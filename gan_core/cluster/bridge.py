"""The bridge between a server and a Ray cluster: ``python -m gan_core.lifeline gan_core.cluster.bridge ADDRESS NAMESPACE``.

It owns the connection to Ray, and passes on what runs say and are told, without looking inside: what comes to the store is
written by the server, which never imports Ray. One actor for each run (``trainer``), detached and named after the run and
its lease: the runs go on when this process ends, and the next one finds them again.
"""

from __future__ import annotations

import asyncio
import math
import os
import socket
import sys
import threading
import time
import traceback
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from gan_core.cluster import frames
from gan_core.cluster.handshake import differences, here, other_data
from gan_core.cluster.trainer import POLL_SECONDS, THREADS, StaleLease, Trainer

REACH_SECONDS = 3.0  # for the address to answer at all
GREET_SECONDS = 2.0  # until a run is said to wait for room
CONTACT_SECONDS = 15.0  # without an answer from a run, until it is given up as lost
ATTEMPTS = 3  # before that: an answer that was late may be the fault of this process, which had no core
TAKE_SECONDS = 5.0  # for a run that goes on by itself to be taken over
LEAVE_SECONDS = 3.0
LOOK_SECONDS = 2.0  # between two looks at the nodes
CALLS_PER_SECOND = 400  # of all runs together: beyond it, each is asked less often
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_gcs_rpc_server_reconnect_timeout_s": "8",
    "RAY_DEDUP_LOGS": "0",
}
TOKEN_FILE = Path("~/.ray/auth_token")


@dataclass
class Lane:
    """A run on the cluster, as the bridge sees it. ``after`` is the last entry that was passed on."""

    run: str
    lease: int
    after: int = 0
    heard: int = 0
    actor: Any = None
    name: str = ""  # of the actor: one that was taken over has that of an older lease
    ahead: float = -math.inf  # seconds by which the clock of its node is ahead of this one
    task: Any = None
    words: deque[tuple[int, str, dict[str, Any], bytes]] = field(
        default_factory=deque
    )  # not obeyed yet, as far as is known


class Bridge:
    """All lanes of a server. Everything happens in one event loop."""

    def __init__(self, outgoing: IO[bytes], namespace: str) -> None:
        import ray

        self._ray = ray
        self._outgoing, self._namespace = outgoing, namespace
        self._lanes: dict[str, Lane] = {}
        self._over: set[asyncio.Task[None]] = set()
        self._ended: set[str] = set()  # names of actors that this bridge has given up: nobody asks them for anything

    def say(self, word: str, blob: bytes = b"", **data: Any) -> None:
        self._outgoing.write(frames.pack({"say": word, **data}, blob))
        self._outgoing.flush()

    async def serve(self, words: asyncio.Queue[tuple[dict[str, Any], bytes] | None]) -> None:
        """Obey the server, until it says goodbye."""
        looking = asyncio.create_task(self._look_around())
        while (item := await words.get()) is not None:
            word, blob = item
            match word["do"]:
                case "begin" | "attach":
                    lane = Lane(word["run"], word["lease"], word.get("after", 0), word.get("after", 0))
                    self._lanes[lane.run] = lane
                    lane.task = asyncio.create_task(self._guarded(lane, word))
                case "tell":
                    self._tell(word, blob)
                case "heard":
                    if (known := self._lane(word)) is not None:
                        known.heard = word["seq"]
                case "end":
                    if (known := self._lane(word)) is not None:
                        del self._lanes[known.run]
                        known.task.cancel()
                        self._keep(asyncio.create_task(self._remove(known.actor)))
        looking.cancel()
        if self._over:
            await asyncio.wait(self._over, timeout=LEAVE_SECONDS)

    def _lane(self, word: dict[str, Any]) -> Lane | None:
        lane = self._lanes.get(word["run"])
        return lane if lane is not None and lane.lease == word["lease"] else None

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._over.add(task)
        task.add_done_callback(self._over.discard)

    async def _guarded(self, lane: Lane, word: dict[str, Any]) -> None:
        """One lane from its begin to its end; whatever goes wrong is its end, and is said."""
        try:
            if word["do"] == "begin":
                if not await self._begin(lane, word):
                    return
            else:
                lane.name = (await self._names_of(lane.run) or [_name(lane.run, lane.lease)])[0]
                lane.actor = self._ray.get_actor(lane.name, namespace=self._namespace)
                self._tell_again(lane)
            await self._listen(lane)
        except asyncio.CancelledError:
            raise
        except StaleLease as error:
            self._lost(lane, str(error), "stale")
        except Exception as error:
            self._lost(lane, *_why(error))

    def _lost(self, lane: Lane, why: str, kind: str) -> None:
        self._ended.add(lane.name)
        if self._lanes.get(lane.run) is lane:
            del self._lanes[lane.run]
            self.say("lost", run=lane.run, lease=lane.lease, why=why, kind=kind)
        self._keep(asyncio.create_task(self._remove(lane.actor)))

    async def _begin(self, lane: Lane, word: dict[str, Any]) -> bool:
        """Take over the run where it goes on by itself, else start it; False where it may not be started there."""
        greeting = await self._take_over(lane, word["begins_at"])
        if greeting is None:
            await self._start(lane, word)
            greeting = await self._greeting(lane, word)
            node = greeting["node"]
            refused = differences(here(), greeting["versions"], node) or other_data(greeting.pop("others"), node)
            if refused:
                self._lost(lane, refused, "refused")
                return False
        else:
            lane.after = lane.heard = greeting["begin"]
        del greeting["versions"]
        self.say("greeted", run=lane.run, lease=lane.lease, **greeting)
        return True

    async def _start(self, lane: Lane, word: dict[str, Any]) -> None:
        options: dict[str, Any] = {"num_cpus": word["needs"]["cpus"], "num_gpus": word["needs"]["gpus"]}
        lane.name = _name(lane.run, lane.lease)
        options |= {"name": lane.name, "namespace": self._namespace, "lifetime": "detached"}
        options |= {"max_restarts": 0, "max_task_retries": 0}
        made = self._ray.remote(concurrency_groups=THREADS)(Trainer).options(**options)
        arguments = (lane.run, lane.lease, self._namespace, word["begins_at"], word["env"])
        deadline = time.monotonic() + LEAVE_SECONDS
        while True:
            try:
                lane.actor = made.remote(*arguments)
                return
            except ValueError:  # the name is that of an actor that is just ending: a bridge died before it said so
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.2)

    async def _greeting(self, lane: Lane, word: dict[str, Any]) -> dict[str, Any]:
        asked = asyncio.ensure_future(_awaited(lane.actor.greet.remote(word["sets"], word["files"])))
        while True:
            done, _ = await asyncio.wait({asked}, timeout=GREET_SECONDS)
            if done:
                return asked.result()
            why = await asyncio.to_thread(self._what_is_lacking, word["needs"])
            self.say("waits", run=lane.run, lease=lane.lease, why=why)

    def _what_is_lacking(self, needs: dict[str, float]) -> str:
        nodes = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        free = self._ray.available_resources()
        asked = [
            (needs[key], ray, word) for key, ray, word in (("cpus", "CPU", "CPU"), ("gpus", "GPU", "GPU")) if needs[key]
        ]
        wanted = " and ".join(f"{count:g} {word}{'s' * (count > 1)}" for count, _, word in asked)
        if not any(all(node.get(ray, 0) >= count for count, ray, _ in asked) for node in nodes):
            return f"waiting for a node with {wanted}: the cluster has none"
        rest = ", ".join(
            f"{free.get(ray, 0):g} of {sum(node.get(ray, 0) for node in nodes):g} {word}s are free"
            for _, ray, word in asked
        )
        return f"waiting for {wanted} on a node of the cluster ({rest})"

    async def _take_over(self, lane: Lane, begins_at: int) -> dict[str, Any] | None:
        """An actor of an earlier start of this run, if it can go on from there; all others of this run end."""
        greeting = None
        for name in await self._names_of(lane.run):
            if name in self._ended:  # one on a node that is gone would be waited for, for seconds
                continue
            try:
                actor = self._ray.get_actor(name, namespace=self._namespace)
            except ValueError:  # it has ended meanwhile
                continue
            if greeting is None:
                try:
                    asked = actor.take_over.remote(lane.lease, begins_at)
                    greeting = await asyncio.wait_for(_awaited(asked), TAKE_SECONDS)
                except Exception as error:
                    _log(f"{name} cannot be taken over: {type(error).__name__}: {error}")
                if greeting is not None:
                    lane.actor, lane.name = actor, name
                    continue
            self._keep(asyncio.create_task(self._remove(actor)))
        return greeting

    async def _names_of(self, run: str) -> list[str]:
        """The actors of a run, the newest start first."""
        named = await asyncio.to_thread(self._ray.util.list_named_actors)
        return sorted((name for name in named if name.startswith(f"{run}.")), reverse=True)

    async def _listen(self, lane: Lane) -> None:
        """Pass on what the run says. Returns when it is over; raises what Ray says of an actor that is gone."""
        heard_at = time.monotonic()
        again, attempts = False, 0
        while True:
            if again:
                self._tell_again(lane)
            try:
                poll = lane.actor.poll.remote(lane.lease, lane.after, lane.heard)
                answer = await asyncio.wait_for(_awaited(poll), POLL_SECONDS + CONTACT_SECONDS / ATTEMPTS)
            except (TimeoutError, self._ray.exceptions.ActorUnavailableError):
                silent, attempts = time.monotonic() - heard_at, attempts + 1
                if silent > CONTACT_SECONDS and attempts >= ATTEMPTS:
                    raise
                again = True
                self.say("silent", run=lane.run, lease=lane.lease, seconds=silent)
                await asyncio.sleep(0.5)
                continue
            if again:
                self.say("contact", run=lane.run, lease=lane.lease)
            again, attempts, heard_at = False, 0, time.monotonic()
            lane.ahead = max(
                lane.ahead, answer["now"] - time.time()
            )  # of an answer that was a while on its way it is less
            while lane.words and lane.words[0][0] <= answer["number"]:
                lane.words.popleft()
            if answer["entries"]:
                self._pass_all(lane, answer)
                if answer["entries"][-1][1]["what"] == "exit":
                    return
            await asyncio.sleep(max(0.01, len(self._lanes) / CALLS_PER_SECOND))

    def _pass_all(self, lane: Lane, answer: dict[str, Any]) -> None:
        """In one word: with many runs the server is woken once for each answer, and not for all that is in it."""
        told = [
            {**data, "seq": seq, "bytes": len(blob), "at": data["at"] - lane.ahead}
            for seq, data, blob in answer["entries"]
        ]
        lane.after = told[-1]["seq"]
        blobs = b"".join(blob for _, _, blob in answer["entries"])
        self.say("entries", blobs, run=lane.run, lease=lane.lease, number=answer["number"], entries=told)

    def _tell(self, word: dict[str, Any], blob: bytes) -> None:
        lane = self._lane(word)
        if lane is None:
            return
        lane.words.append((word["number"], word["what"], word["data"], blob))
        if lane.actor is not None:
            self._pass_on(lane, lane.words[-1])

    def _tell_again(self, lane: Lane) -> None:
        for word in list(lane.words):
            self._pass_on(lane, word)

    def _pass_on(self, lane: Lane, word: tuple[int, str, dict[str, Any], bytes]) -> None:
        lane.actor.tell.remote(lane.lease, *word)

    async def _remove(self, actor: Any) -> None:
        """End an actor, and what it left on its node where that can still be done."""
        if actor is None:
            return
        try:
            leaving = actor.leave.remote()
            await asyncio.wait_for(_awaited(leaving), LEAVE_SECONDS)
        except Exception as error:  # it is gone already, or its node is
            _log(f"an actor did not take its leave: {type(error).__name__}")
        try:
            self._ray.kill(actor, no_restart=True)
        except Exception as error:
            _log(f"an actor could not be ended: {error}")

    async def _look_around(self) -> None:
        """Tell the server of the nodes, and of the runs that go on by themselves, every so often."""
        while True:
            nodes = await asyncio.to_thread(self._nodes)
            named = await asyncio.to_thread(self._ray.util.list_named_actors)
            self.say("nodes", nodes=nodes, living=sorted({name.rsplit(".", 1)[0] for name in named}))
            await asyncio.sleep(LOOK_SECONDS)

    def _nodes(self) -> list[dict[str, Any]]:
        return [
            {
                "id": node["NodeID"][:6],
                "name": node["NodeManagerHostname"],
                "address": node["NodeManagerAddress"],
                "alive": node["Alive"],
                "cpus": node["Resources"].get("CPU", 0),
                "gpus": node["Resources"].get("GPU", 0),
                "memory": node["Resources"].get("memory", 0),
            }
            for node in self._ray.nodes()
        ]


async def _awaited(reference: Any) -> Any:
    return await reference


def _name(run: str, lease: int) -> str:
    return f"{run}.{lease:016d}"  # of one run, names sort as leases do


def _why(error: Exception) -> tuple[str, str]:
    """A sentence, and what kind of end that is."""
    said = str(error)
    if "OutOfMemory" in type(error).__name__ or "out of memory" in said.lower() or "low on memory" in said.lower():
        return "the memory of its node ran out, and Ray ended it", "memory"
    if isinstance(getattr(error, "cause", None), StaleLease) or "StaleLease" in said:
        return "another start of this run holds the lease", "stale"
    if "ModuleNotFoundError" in said or "ImportError" in said:
        return f"the node has no GANscope that can be imported ({said.strip().splitlines()[-1][:200]})", "refused"
    lines = [line for line in said.splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:200] if lines else 'no reason given'}", "lost"


def _log(said: str) -> None:
    print(said, file=sys.stderr, flush=True)


def refusal(address: str) -> str:
    """Why this address cannot be connected to, as far as can be told at once; "" where nothing speaks against it."""
    if os.environ["RAY_AUTH_MODE"] == "token" and (lacking := _token_problem()):
        return lacking
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host:
        return "" if address == "auto" else f"{address!r} is no address of a cluster: it should be host:port"
    try:
        socket.create_connection((host.strip("[]"), int(port)), REACH_SECONDS).close()
    except (OSError, ValueError, OverflowError) as error:
        return f"nothing answers at {address} ({getattr(error, 'strerror', None) or error})"
    return ""


def _token_problem() -> str:
    if os.environ.get("RAY_AUTH_TOKEN"):
        return ""
    path = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or TOKEN_FILE).expanduser()
    if not path.is_file():
        return f"there is no token for the cluster: put that of its head into {path}"
    if path.stat().st_mode & 0o077:
        return f"others can read the token of the cluster: chmod 600 {path}"
    return ""


def main() -> None:
    """Speak with the server through standard input and output until it is gone; it goes first, and this process with it."""
    os.umask(0o077)
    address, namespace = sys.argv[1:]
    outgoing = os.fdopen(os.dup(1), "wb")
    incoming = os.fdopen(os.dup(0), "rb")
    os.dup2(2, 1)
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)

    def refuse(why: str) -> None:
        outgoing.write(frames.pack({"say": "refused", "why": why}))
        outgoing.flush()
        os._exit(1)

    if why := refusal(address):
        refuse(why)
    try:
        import ray

        ray.init(address, namespace=namespace, log_to_driver=False, logging_level="warning")
    except BaseException as error:
        traceback.print_exc()
        lines = [line for line in str(error).splitlines() if line.strip()]
        doubt = "; is the token here that of its head?" if isinstance(error, ConnectionError) else ""
        refuse(f"{type(error).__name__}: {' '.join(lines)[:300].rstrip('.')}{doubt}")
    bridge = Bridge(outgoing, namespace)
    bridge.say("connected", versions=here())
    asyncio.run(_run(bridge, incoming))
    os._exit(0)  # the runs go on: a detached actor needs nobody


async def _run(bridge: Bridge, incoming: IO[bytes]) -> None:
    loop = asyncio.get_running_loop()
    words: asyncio.Queue[tuple[dict[str, Any], bytes] | None] = asyncio.Queue()

    def hear() -> None:
        try:
            while True:
                word = frames.read(incoming)
                loop.call_soon_threadsafe(words.put_nowait, word if word[0]["do"] != "bye" else None)
        except (EOFError, OSError, ValueError):
            loop.call_soon_threadsafe(words.put_nowait, None)

    threading.Thread(target=hear, name="server", daemon=True).start()
    await bridge.serve(words)


if __name__ == "__main__":
    main()
