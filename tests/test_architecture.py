"""The import table of docs/architecture.md, held by walking the syntax tree of every file."""

from __future__ import annotations

import ast
import functools
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from forking import TEXT, forked

ROOT = Path(__file__).resolve().parent.parent

LAYER_0 = {"about", "alarms", "said", "failpoints", "exhaustion", "lifeline", "loading", "priority", "intake"}
LAYER_1 = {"losses", "regularizers", "models", "data", "metrics"}
MAY_IMPORT: dict[str, set[str]] = {
    "about": set(),
    "alarms": set(),
    "said": set(),
    "failpoints": set(),
    "exhaustion": set(),
    "lifeline": set(),
    "priority": set(),
    "loading": set(),
    "intake": set(),
    "checkpoints": {"failpoints", "exhaustion"},
    "config": {"about", "alarms"},
    **{leaf: {"about"} for leaf in LAYER_1},
    "metrics": {"about", "alarms", "said"},
    "data": {"about", "intake", "exhaustion"},
    "training": {*LAYER_0, "checkpoints", "config", *LAYER_1},
    "cluster": {"checkpoints"},
    "store": {"config", "checkpoints", "failpoints", "exhaustion"},
    "engine": {*LAYER_0, "checkpoints", "cluster", "config", *LAYER_1, "training", "store"},
    "server": {"engine", "store", "exhaustion"},
    "api": {"ui", "engine", "store", "config"},
    "cli": {"api", "ui", "server", "engine", "store", "config", "exhaustion", "said"},
    "ui": {"server", "engine", "store", "config", "about", "said"},
    "__main__": {"cli"},
    "pages": {"ui", "engine", "store", "config", "said"},
    "app": {"ui", "server", "engine", "loading"},
}
BELOW_LAYER_4 = {*LAYER_0, "checkpoints", "cluster", "config", *LAYER_1, "training", "store", "engine"}
# The package's face: it may name the public functions, and `import gan_core` must stay without effect (tested below).
MAY_IMPORT["__init__"] = {"api", "config"}


def source_files() -> list[Path]:
    return [ROOT / "app.py", *sorted((ROOT / "pages").rglob("*.py")), *sorted((ROOT / "gan_core").rglob("*.py"))]


@functools.cache
def parsed(text: str) -> ast.Module:
    """Each file is walked for several rules."""
    return ast.parse(text)


def part_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[1] if parts[0] == "gan_core" else parts[0]


def imported_modules(tree: ast.AST, package: str) -> Iterator[str]:
    """Every absolute dotted name that the file imports, wherever in the file; ``from a import b`` gives ``a.b``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base]).rstrip(".")
            yield from (f"{base}.{alias.name}" for alias in node.names)


def package_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).parts[:-1])


def parts_imported(tree: ast.AST, package: str) -> set[str]:
    names = [name.split(".") for name in imported_modules(tree, package)]
    inner = {name[1] for name in names if name[0] == "gan_core" and len(name) > 1}
    outer = {name[0] for name in names if name[0] in ("pages", "app")}
    return inner | outer


def forbidden(path: Path, text: str) -> set[str]:
    own = part_of(path)
    return parts_imported(parsed(text), package_of(path)) - MAY_IMPORT[own] - {own}


def test_imports_point_strictly_downward() -> None:
    new = {part_of(path) for path in source_files()} - set(MAY_IMPORT)
    assert not new, "a new part: write it into the table of docs/architecture.md"
    wrong = {str(path.relative_to(ROOT)): forbidden(path, path.read_text()) for path in source_files()}
    assert {path: parts for path, parts in wrong.items() if parts} == {}, "these may not be imported there"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("gan_core/losses/x.py", "from gan_core.models import ARCHITECTURES"),
        ("gan_core/losses/x.py", "def f():\n    import gan_core.data"),
        ("gan_core/data/x.py", "from .. import training"),
        ("gan_core/config/x.py", "from gan_core import losses"),
        ("gan_core/store/x.py", "from gan_core.engine import Lab"),
        ("gan_core/ui/x.py", "from gan_core.training import play"),
        ("gan_core/engine/x.py", "from gan_core.ui import charts"),
        ("pages/x.py", "from gan_core.training import build"),
    ],
)
def test_the_walk_sees_a_forbidden_import(path: str, text: str) -> None:
    assert forbidden(ROOT / path, text)


def documented_table() -> tuple[dict[str, set[str]], dict[str, int]]:
    """What each part may import, and its layer, as docs/architecture.md says."""
    rows = [line.split("|") for line in (ROOT / "docs" / "architecture.md").read_text().splitlines()]
    rows = [row for row in rows if len(row) > 4 and row[2].strip().isdigit()]
    layer = {name.removesuffix(".py"): int(row[2]) for row in rows for name in re.findall(r"`([\w.]+)/?`", row[1])}
    allowed: dict[str, set[str]] = {}
    for row in rows:
        cell = row[3].strip()
        if cell.startswith("layers"):
            first, last = re.findall(r"\d", cell)
            wanted = {part for part, number in layer.items() if int(first) <= number <= int(last)}
        else:
            wanted = set(re.findall(r"[a-z]+", re.sub(r"\(.*?\)", "", cell)))
        for name in re.findall(r"`([\w.]+)/?`", row[1]):
            part = name.removesuffix(".py")
            allowed[part] = wanted - {part}
    return allowed, layer


def test_the_table_is_that_of_the_document() -> None:
    allowed, layer = documented_table()
    assert allowed == {part: parts for part, parts in MAY_IMPORT.items() if not part.startswith("__")}
    for part, parts in allowed.items():
        assert all(layer[other] < layer[part] or (part, other) == ("config", "about") for other in parts), part
    assert {part for part in layer if layer[part] < 4} == BELOW_LAYER_4
    assert {part for part in layer if layer[part] == 1} == {*LAYER_1, "config", "checkpoints"}


# --- inside the engine ---

ENGINE = ROOT / "gan_core" / "engine"


@functools.cache
def rooms_of_the_engine() -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """What each sub-package or module may import of the engine, and the modules that lie in it, as the document says."""
    table = (ROOT / "docs" / "architecture.md").read_text().partition("| in `engine/` |")[2].partition("\n\n")[0]
    allowed: dict[str, set[str]] = {}
    modules: dict[str, set[str]] = {}
    for line in table.splitlines()[2:]:
        _, names, may, within, *_ = line.split("|")
        for name in re.findall(r"`(\w+)(?:/|\.py)`", names):
            allowed[name] = set(re.findall(r"[a-z]+", may))
            modules[name] = set(re.findall(r"`(\w+)`", within))
    return allowed, modules


def room_of(path: Path) -> str:
    return path.relative_to(ENGINE).with_suffix("").parts[0]


def rooms_imported(path: Path, text: str) -> set[str]:
    names = [name.split(".") for name in imported_modules(parsed(text), package_of(path))]
    return {name[2] for name in names if name[:2] == ["gan_core", "engine"] and len(name) > 2}


def forbidden_in_the_engine(path: Path, text: str) -> set[str]:
    own = room_of(path)
    return rooms_imported(path, text) - rooms_of_the_engine()[0][own] - {own}


def test_imports_inside_the_engine_point_downward() -> None:
    below = set(ENGINE.rglob("*.py")) - {ENGINE / "__init__.py"}  # its face, which is above all
    wrong = {str(path.relative_to(ROOT)): forbidden_in_the_engine(path, path.read_text()) for path in below}
    assert {path: rooms for path, rooms in wrong.items() if rooms} == {}, "these rooms may not be imported there"


def test_the_rooms_of_the_engine_are_those_of_the_document() -> None:
    allowed, modules = rooms_of_the_engine()
    order = list(allowed)
    for room, others in allowed.items():
        assert others <= set(order[: order.index(room)]), f"{room} imports what stands beside or below it"
        used = {*()}.union(*(rooms_imported(path, path.read_text()) for path in files_of(room)))
        assert others == used - {room}, f"{room} may import what it does not"
        assert modules[room] == {path.stem for path in files_of(room)} - {"__init__", room}
    assert set(order) == {room_of(path) for path in ENGINE.rglob("*.py")} - {"__init__"}


def files_of(room: str) -> list[Path]:
    return [path for path in ENGINE.rglob("*.py") if room_of(path) == room]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("observers/x.py", "from gan_core.engine.running.runner import run_job"),
        ("showing/x.py", "from gan_core.engine import library"),
        ("running/x.py", "from ..lab import Lab"),
        ("comparing/x.py", "def f():\n    import gan_core.engine.exchange.packs"),
        ("library/x.py", "from gan_core.engine import Lab"),
        ("lab.py", "from gan_core.engine.resuming import interrupted"),
    ],
)
def test_the_walk_sees_a_forbidden_import_in_the_engine(path: str, text: str) -> None:
    assert forbidden_in_the_engine(ENGINE / path, text)


def tops(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imported_modules(parsed(path.read_text()), package_of(path))}


def test_heavy_libraries_stay_where_they_belong() -> None:
    for path in source_files():
        part, used, where = part_of(path), tops(path), path.relative_to(ROOT)
        if part in BELOW_LAYER_4:
            assert not used & {"streamlit", "plotly"}, f"{where}: nothing below layer 4 draws"
        if part not in {"ui", "pages", "app"}:
            assert "streamlit" not in used, f"{where}: st.* lives in ui/, pages/ and app.py"
        if part in {*LAYER_0, "checkpoints", "cluster", "config", "store", "server", "ui", "pages", "app"}:
            assert not used & {"torch", "torchvision"}, f"{where}: {part} imports no torch"


def test_only_the_bridge_and_what_runs_on_nodes_know_ray() -> None:
    assert {part_of(path) for path in source_files() if "ray" in tops(path)} == {"cluster"}


def modules_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys, json\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert not done.stderr
    return set(json.loads(done.stdout))


OF_THE_GAN = re.compile(r"\b[DG]\.(loss|real|fake|grad_norm)|generator_steps|n_critic|players\[")
ITS_FILES = (
    "config/gan/",
    "config/games/",
    "config/presets.py",
    "training/games/",
    "engine/theory/",
    "ui/theory_tabs.py",
)


def test_only_the_files_of_the_gan_name_its_columns_and_steps() -> None:
    root = ROOT / "gan_core"
    files = [path for kind in ("py", "js") for path in root.rglob(f"*.{kind}") if OF_THE_GAN.search(path.read_text())]
    names = {path.relative_to(root).as_posix() for path in files}
    assert "training/games/gan.py" in names, "the walk sees what it looks for"
    assert [name for name in sorted(names) if not name.startswith(ITS_FILES)] == []


def test_importing_the_package_has_no_effect() -> None:
    before = set(os.listdir(ROOT))
    loaded = modules_after("import gan_core") - modules_after("pass")
    assert not {name.split(".")[0] for name in loaded} & {"torch", "streamlit", "plotly", "numpy", "pydantic", "pandas"}
    assert set(os.listdir(ROOT)) - before <= {"__pycache__"}


def test_config_and_store_do_not_even_reach_torch() -> None:
    loaded = {name.split(".")[0] for name in modules_after("import gan_core.config, gan_core.store")}
    assert "pydantic" in loaded
    assert not loaded & {"torch", "torchvision", "streamlit", "plotly"}


def test_the_process_that_reads_what_was_brought_begins_at_once() -> None:
    loaded = modules_after("import gan_core.intake.reader")
    assert not loaded & {"torch", "pydantic", "sqlite3", "scipy", "pandas", "streamlit"}


def test_the_process_of_a_run_loads_nothing_that_draws_or_takes_long() -> None:
    loaded = modules_after("import gan_core.engine.running.worker")
    assert "torch" in loaded
    assert not loaded & {"streamlit", "plotly", "starlette", "pandas", "matplotlib", "sklearn", "scipy.stats"}


def test_the_bridge_to_a_cluster_and_its_actors_take_little_memory() -> None:
    loaded = modules_after("import gan_core.cluster.bridge, gan_core.cluster.trainer")
    assert not loaded & {"torch", "numpy", "pydantic", "ray"}


def test_a_report_is_written_without_the_pages() -> None:
    done = forked(TEXT, "import gan_core.ui.report, sys; print(*sys.modules)")  # on top of what a worker imports
    assert done.returncode == 0, done.stderr
    assert "gan_core.ui.report" in done.stdout.split()
    assert not {"streamlit", "starlette"} & set(done.stdout.split())


# --- what the code of gan_core never calls ---

# torch functions and tensor methods that draw from the global generator unless they are given one
DRAWS = {
    *("rand", "randn", "randint", "randperm", "normal", "bernoulli", "multinomial", "poisson"),
    *("rand_like", "randn_like", "randint_like", "binomial"),
    *("normal_", "uniform_", "random_", "bernoulli_", "exponential_", "geometric_", "cauchy_", "log_normal_"),
    *("orthogonal_", "trunc_normal_", "sparse_"),
    *("xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_"),
}
NEVER = {
    *("torch.load", "torch.manual_seed", "torch.seed", "torch.random.manual_seed", "torch.set_rng_state"),
    *("torch.random.set_rng_state", "torch.random.fork_rng", "torch.cuda.manual_seed", "torch.cuda.manual_seed_all"),
    *("yaml.load", "np.random.seed", "numpy.random.seed", "random.seed"),
    *("F.dropout", "torch.dropout", "nn.functional.dropout", "F.gumbel_softmax", "F.rrelu"),
    *("nn.Dropout", "nn.Dropout1d", "nn.Dropout2d", "nn.Dropout3d", "nn.AlphaDropout", "nn.RReLU"),
    *("torch.nn.Dropout", "torch.nn.Dropout2d"),
}
SEEDED_NUMPY = {"default_rng", "Generator", "SeedSequence", "PCG64", "Philox"}


def dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def offences(text: str) -> list[str]:
    found = []
    tree = parsed(text)
    modules = {name.split(".")[0] for name in imported_modules(tree, "")}
    if modules & {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}:
        found.append("pickle")
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name, given = dotted(node.func), {keyword.arg for keyword in node.keywords}
        last = name.rsplit(".", 1)[-1]
        if name in NEVER:
            found.append(name)
        if isinstance(node.func, ast.Attribute) and last in DRAWS and "generator" not in given:
            root = name.split(".")[0]
            if root not in ("rng", "np", "numpy") and "default_rng" not in ast.dump(node.func):
                found.append(f"{name} without generator=")
        if name.startswith(("np.random.", "numpy.random.")) and (last not in SEEDED_NUMPY or not node.args):
            found.append(name)
        if name.startswith("random.") and last not in ("Random", "SystemRandom"):
            found.append(name)
        if any(k.arg == "allow_pickle" and not (isinstance(k.value, ast.Constant) and k.value.value is False)
               for k in node.keywords):  # fmt: skip
            found.append("allow_pickle")
    return found


def test_no_pickle_and_no_global_randomness() -> None:
    found = {str(path.relative_to(ROOT)): offences(path.read_text()) for path in source_files()}
    assert {path: what for path, what in found.items() if what} == {}


@pytest.mark.parametrize(
    "text",
    [
        "torch.load(path, weights_only=True)",
        "import pickle",
        "from pickle import loads",
        "np.load(path, allow_pickle=True)",
        "yaml.load(text)",
        "torch.manual_seed(0)",
        "torch.randn(3)",
        "torch.randperm(3)",
        "torch.rand(3, device='cpu')",
        "torch.multinomial(p, 3, replacement=True)",
        "weight.normal_(0, 1)",
        "nn.init.orthogonal_(weight)",
        "nn.Dropout(0.5)",
        "F.dropout(x)",
        "np.random.rand(3)",
        "np.random.default_rng()",
        "random.random()",
    ],
)
def test_the_walk_sees_each_offence(text: str) -> None:
    assert offences(text)


@pytest.mark.parametrize(
    "text", ["torch.randn(3, generator=g)", "np.random.default_rng(0).permutation(5)", "np.load(p, allow_pickle=False)"]
)
def test_the_walk_lets_honest_code_pass(text: str) -> None:
    assert offences(text) == []


def test_pages_are_thin() -> None:
    for path in (ROOT / "pages").rglob("*.py"):
        lines = len(path.read_text().splitlines())
        assert lines < 150, f"{path.name} has {lines} lines: move logic into ui/"


def test_no_drawer_for_leftovers() -> None:
    vague = {"utils", "util", "misc", "helpers", "helper", "common"}
    for folder in ("gan_core", "pages", "tests", "benchmarks"):
        for path in (ROOT / folder).rglob("*.py"):
            assert not {path.stem, path.parent.name} & vague, path


# --- how long a file, a function and a constructor may be ---

MOST_LINES, MOST_LINES_OF_A_FUNCTION, MOST_PARAMETERS = 500, 60, 8


def too_long(text: str) -> list[str]:
    """The functions of a file that are too long, and the constructors that take too much. A dataclass is a declaration."""
    found = []
    for node in ast.walk(parsed(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            parameters = len(node.args.posonlyargs + node.args.args + node.args.kwonlyargs) - 1
            if lines > MOST_LINES_OF_A_FUNCTION:
                found.append(f"{node.name} has {lines} lines")
            if node.name == "__init__" and parameters > MOST_PARAMETERS:
                found.append(f"a constructor in line {node.lineno} takes {parameters} parameters")
    return found


def test_files_functions_and_constructors_are_short() -> None:
    texts = {str(path.relative_to(ROOT)): path.read_text() for path in source_files()}
    assert [path for path, text in texts.items() if len(text.splitlines()) > MOST_LINES] == [], "two ideas: a file each"
    found = {path: too_long(text) for path, text in texts.items()}
    assert {path: what for path, what in found.items() if what} == {}


def test_scripts_are_short() -> None:
    long = [path.name for path in (ROOT / "gan_core").rglob("*.js") if len(path.read_text().splitlines()) > MOST_LINES]
    assert long == []


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n" + "    x = 1\n" * MOST_LINES_OF_A_FUNCTION,
        f"class A:\n    def __init__(self, {', '.join(f'p{i}' for i in range(MOST_PARAMETERS + 1))}): ...",
        f"class A:\n    def __init__(self, *, {', '.join(f'p{i}' for i in range(MOST_PARAMETERS + 1))}): ...",
    ],
)
def test_the_walk_sees_what_is_too_long(text: str) -> None:
    assert too_long(text)
