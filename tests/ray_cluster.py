"""A Ray cluster of several nodes on this machine, on loopback alone, in a process of its own: for tests and benchmarks.

As a program it starts the nodes, says where they are, and obeys a line at a time; its end is that of all of them.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
STORE_BYTES = 80_000_000  # of shared memory for each node; Ray takes no less
ENVIRONMENT = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # or Ray writes the outer address in place of loopback
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "token",
    # A node that is gone is noticed after two seconds.
    "RAY_health_check_initial_delay_ms": "500",
    "RAY_health_check_period_ms": "500",
    "RAY_health_check_timeout_ms": "500",
    "RAY_health_check_failure_threshold": "3",
}


class LocalCluster:
    """``nodes`` beside the head; each has ``cpus`` of them, the head none. ``port`` is that of the head, ``first`` a folder in
    which modules are looked for first.
    """

    def __init__(
        self, nodes: int, cpus: int = 4, *, port: int | None = None, token: str = "", first: Path | None = None
    ) -> None:
        self.environment = {**ENVIRONMENT, "RAY_AUTH_TOKEN": token or secrets.token_hex(32)}
        places = [str(first or ""), str(ROOT), os.environ.get("PYTHONPATH", "")]
        path = os.pathsep.join(filter(None, places))
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(nodes), str(cpus), str(port or 0)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **self.environment, "PYTHONPATH": path},
            start_new_session=True,
            text=True,
        )
        try:
            self.address: str = self._answer()["address"]
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    def add_node(self, cpus: int = 4) -> str:
        """Start one more; returns the beginning of its id."""
        return str(self._ask("add", cpus)["node"])

    def kill_node(self, node: str) -> None:
        """End a node as a power cut would."""
        self._ask("kill", node)

    def nodes(self) -> list[str]:
        """The beginnings of the ids of the nodes that were started and not killed, the head aside."""
        return list(self._ask("nodes")["nodes"])

    def raylet(self, node: str) -> psutil.Process:
        """The process that holds a node together; what runs there are its children."""
        return psutil.Process(self._ask("raylet", node)["pid"])

    def kill_head(self) -> None:
        """End the process that knows all nodes."""
        self._ask("behead")

    def close(self) -> None:
        """End every process that belongs to the cluster, by its number."""
        mine: list[psutil.Process] = []
        with suppress(psutil.NoSuchProcess):
            mine = psutil.Process(self._process.pid).children(recursive=True)
        with suppress(OSError, ValueError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(15)
        self._process.kill()
        self._process.wait()
        for process in mine:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(mine, timeout=5)

    def stopped(self, node: str) -> list[psutil.Process]:
        """Hold a node still, as a network that is gone would: its processes, which `SIGCONT` sets going again."""
        raylet = self.raylet(node)
        held = [raylet, *raylet.children(recursive=True)]
        for process in held:
            process.suspend()
        return held

    def __enter__(self) -> LocalCluster:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, *words: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("=> "):
                return dict(json.loads(line[3:]))
        raise RuntimeError(f"the cluster did not start (exit status {self._process.wait()})")


def main() -> None:
    """In the main thread of a process of its own, as Ray needs it."""
    os.umask(0o077)
    from ray.cluster_utils import Cluster

    count, cpus, port = map(int, sys.argv[1:])
    small: dict[str, Any] = {"object_store_memory": STORE_BYTES, "include_dashboard": False}
    place = {"gcs_server_port": port} if port else {}
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **small, **place})
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    nodes: dict[str, Any] = {}

    def add(cpus: int) -> str:
        node = cluster.add_node(num_cpus=cpus, object_store_memory=STORE_BYTES)
        nodes[node.node_id[:6]] = node
        return str(node.node_id[:6])

    for _ in range(count):
        add(cpus)
    _say({"address": cluster.address})
    for line in sys.stdin:
        match json.loads(line):
            case ["add", cpus]:
                _say({"node": add(cpus)})
            case ["kill", name]:
                cluster.remove_node(nodes.pop(name), allow_graceful=False)
                _say({})
            case ["nodes"]:
                _say({"nodes": list(nodes)})
            case ["raylet", name]:
                (process,) = nodes[name].all_processes["raylet"]
                _say({"pid": process.process.pid})
            case ["behead"]:
                cluster.head_node.kill_gcs_server()
                _say({})
    cluster.shutdown()


def _say(answer: dict[str, Any]) -> None:
    print("=> " + json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
