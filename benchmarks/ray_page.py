"""What the bench `ray.py` has on record, as docs/results/ray.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from statistics import median, quantiles

from benchmarks.ledger import Row
from benchmarks.ray_players import OF_ONE
from benchmarks.ray_schedule import LOSSES_PER_HOUR, SAVED_EVERY
from gan_core.cluster.bridge import CALLS_PER_SECOND
from gan_core.engine.lab import CLUSTER_CAPACITY
from gan_core.engine.running.runner import ROWS_EVERY_SECONDS
from gan_core.engine.running.scheduler import MAX_WAITING

Rows = Mapping[str, Row]
HEAD = """# Runs on a Ray cluster

`.venv-ray/bin/python benchmarks/ray.py` measures what is not on record (`ray.jsonl`) and writes this page; with
`--parts kills --anew` it measures one part again. All nodes are on one machine, each with one CPU as far as Ray is told, its
processes bound to one core; more nodes than cores share them, so what four machines would do cannot be seen here. Unless
another is named, a run is a GAN on eight Gaussians with networks of eight units, 4,000 rounds, a checkpoint every second.
"""


def page(rows: Rows) -> str:
    """All that is there; a part that was not measured is not named."""
    parts = [part(rows) for part in (_kills, _ages, _memory, _rates, _crowd, _schedule)]
    return "\n".join([HEAD, *filter(None, parts)])


def _of(rows: Rows, part: str) -> dict[str, Row]:
    return {key.partition("/")[2]: row for key, row in rows.items() if key.partition("/")[0] == part}


def _section(title: str, said: str, measured: Mapping[str, Row]) -> str:
    machines = dict.fromkeys(row["machine"] for row in measured.values() if "machine" in row)
    return f"## {title}\n\n{said.strip()}\n\n{list(machines)[-1] if machines else ''}\n"


def _table(heads: list[str], lines: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, ["---"] * len(heads), *lines))


def _kills(rows: Rows) -> str:
    found = _of(rows, "kills")
    if not found:
        return ""
    lost = [row for row in found.values() if row["lost"]]
    whole, equal = (sum(row[name] for row in found.values()) for name in ("whole", "equal"))
    others = "" if len(lost) == len(found) else "; the others had just ended"
    said = (
        f"{len(found)} runs, one after another, each on the node that was killed (`SIGKILL`, all of its processes) at some "
        f"moment after its first checkpoint; {len(lost)} were lost with it{others}. {whole} have every "
        f"round on record once, and {equal} end with the very state, bit for bit, of a run that nothing happened to.\n\n"
    )
    stages = (("noticed", "the run is known to be lost"), ("placed", "it has a node again"), ("back", "it plays anew"))
    times = {name: [row[name] for row in lost if name in row] for name, _ in stages}
    lines = [[text, f"{median(times[name]):.1f}", f"{max(times[name]):.1f}"] for name, text in stages if times[name]]
    return _section(
        "A node is killed", said + _table(["seconds from the kill until", "median", "longest"], lines), found
    )


def _ages(rows: Rows) -> str:
    found = _of(rows, "ages")
    lines = []
    for name, row in found.items():
        times = row["seconds"]
        lines.append([name, *(f"{value:.2f} s" for value in (median(times), quantiles(times, n=20)[-1], max(times)))])
    said = "Seconds between two growths of the curves of a run that trains alone.\n\n"
    said += _table(["runs in", "median", "p95", "longest"], lines)
    return _section("How old the newest point of a page becomes", said, found) if found else ""


def _memory(rows: Rows) -> str:
    found = _of(rows, "memory")
    if not found:
        return ""
    (row,) = found.values()
    sizes = [[what, f"{size:,.0f}"] for what, size in row.items() if isinstance(size, float) and "seconds" not in what]
    said = _table(["proportional set size", "MB"], sizes)
    if "seconds to start" in row:
        said += f"\n\nThe start of a run takes {row['seconds to start']:.1f} s of a core on its node."
    return _section("Memory", said, found)


def _rates(rows: Rows) -> str:
    found = _of(rows, "rates")
    names = {"ray": "Ray, nodes of one core", "process": "processes at once"}
    lines = []
    for key, row in found.items():
        executor, _, nodes = key.partition("/")
        lines.append([f"{names[executor]}: {nodes}", f"{row['runs']}", f"{row['per_hour']:,.0f}"])
    said = "From the first start to the last end, one run before them not counted.\n\n"
    said += _table(["where", "runs", "runs an hour"], sorted(lines))
    return _section("Runs in an hour", said, found) if found else ""


def _crowd(rows: Rows) -> str:
    found = _of(rows, "crowd")
    if not found:
        return ""
    (row,) = found.values()
    ages, told = row["ages"], row["runs"] - row["trained"]
    few = f"there were cores for few, and memory for {row['room']}"
    why = "as many as there was memory for" if row["trained"] == row["room"] else few
    said = f"{row['runs']} runs at once: {row['trained']} train as actors ({why})"
    if told:
        said += (
            f"; the other {told} are told by actors that stand for {OF_ONE} each, with what one that trains had said, at its "
            "pace and by the same calls (`benchmarks/ray_players.py`), without checkpoints"
        )
    opened = ", ".join(f"{page} {seconds:.1f} s" for page, seconds in row["opened"].items())
    kinds = Counter(row["fsck"])
    faults = "; ".join(f"{count} × *{said}*" for said, count in kinds.items()) or "nothing"
    said += (
        f". All had begun after {row['begun']:.0f} s. {row['pages']} pages (Streamlit sessions with live sockets, no browser) "
        f"watch as many of them. What trains has the least priority, for nodes have machines of their own elsewhere. In "
        f"{ages['looks']:,} looks the newest point of a page was {ages['p50']:.2f} s old (median), {ages['p95']:.2f} s (p95), "
        f"at most {ages['longest']:.2f} s. All runs together told rows {row['told']['Rows']:.0f} times a second, and showed "
        f"what they made {row['told']['Sight']:.0f} times. The server's process took {row['cpu']['server']:.2f} cores, the "
        f"bridge {row['cpu']['bridge']:.2f}. A page that is opened meanwhile is drawn "
        f"after: {opened}.\n\nRuns that are told do not end when asked to, so the server may be killed at its end. Then the "
        f"store has {row['rows']:,} rows; its check finds {faults}; in "
        f"{row['broken']} runs a row is missing or there twice. {row['lost']} runs were lost, {len(row['faults'])} viewers "
        "met a fault." + (" The two seconds that were asked are not kept." if ages["p95"] > 2 else "")
    )
    return _section("Many runs and many pages", said, found)


def _schedule(rows: Rows) -> str:
    found = _of(rows, "schedule")
    if not found:
        return ""
    costs = next(iter(found.values()))["costs"]
    lines = []
    for key, row in found.items():
        seconds, _, nodes = key.partition("/")
        shares = [f"{100 * row[part]:.0f} %" for part in ("cores", "bridge", "server")]
        hours = [f"{row['hours']:.2f}", f"{row['ideal']:.2f}"]
        lines.append(
            [seconds, nodes, f"{row['runs']:,}", *hours, *shares, f"{row['age']:.1f} s", f"{row['again']:.1f}"]
        )
    heads = ["seconds of a run", "nodes", "runs", "hours", "of cores alone", "cores busy", "bridge busy", "server busy"]
    said = (
        "Not measured but simulated (`benchmarks/ray_schedule.py`, by events): nodes of eight cores, one run a core, "
        f"{LOSSES_PER_HOUR:g} nodes lost an hour, a checkpoint every {SAVED_EVERY:.0f} s. What it is fed: a call takes the "
        f"bridge {1000 * costs['bridge']:.2f} ms of a core, {ROWS_EVERY_SECONDS:g} s of a run the server "
        f"{1000 * costs['server']:.2f} ms, the start of a run {costs['start']:.1f} s of its core, and a run is back "
        f"{costs['back']:.1f} s after its node was lost. What the server takes is that of the crowd above, which "
        "took several pieces of a run at once: with more runs it would take more of them at once, and each would cost less.\n\n"
    )
    said += _table([*heads, "p95 age", "hours played again"], lines) + "\n\n" + _first_full(found)
    return _section("Ten thousand runs on a hundred nodes", said, found)


def _first_full(found: dict[str, Row]) -> str:
    """Which of the parts that there is one of is the busiest, and how many runs at once it can take."""
    key, row = max(found.items(), key=lambda item: max(item[1]["bridge"], item[1]["server"]))
    part = "bridge" if row["bridge"] > row["server"] else "server"
    nodes = int(key.partition("/")[2])
    costs = row["costs"]
    if not costs["server"] or not costs["bridge"]:
        return ""
    most = {"server": ROWS_EVERY_SECONDS / costs["server"], "bridge": CALLS_PER_SECOND * ROWS_EVERY_SECONDS}
    return (
        f"The first to be full is the {part}: {100 * row[part]:.0f} % of its time with {nodes} nodes. The server can take "
        f"what {most['server']:,.0f} runs say at once. The bridge makes at most {CALLS_PER_SECOND} calls a second: with more "
        f"than {most['bridge']:,.0f} runs each is asked less often than it has something to say. At most "
        f"{CLUSTER_CAPACITY:,} runs train at once and {MAX_WAITING} wait for their turn, so who wants more hands them in as "
        "others end. What is too much comes late and is not lost: training does not wait for the server, only the core of a "
        "run that has ended is given on once the server has heard of that."
    )
