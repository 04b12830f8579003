"""A store with a run and a comparison of every kind: some honest, some of which all that a person may say is hostile."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gan_core.config import Comparison, preset_config
from gan_core.config.studies import load_study
from gan_core.engine import Lab
from gan_core.engine.studies.computing import begin
from gan_core.engine.studies.protocols import PROTOCOLS
from gan_core.ui.hand_in import hand_in
from gan_core.ui.report import report

TINY = {
    "schedule.rounds": 60,
    "diagnostics.every": 20,
    "diagnostics.samples": 200,
    "diagnostics.budget": 1.0,
    "model.generator.widths": [16],
    "model.discriminator.widths": [16],
    "device": "cpu",
}
RUNS = {"ring": "ring-mlp", "line": "gaussian-1d", "digits": "digits-mlp", "collapse": "ring-collapse"}

SCRIPT = "window.pwned=1"
HOSTILE = (
    f"<img src=//evil.example/a onerror={SCRIPT}>",
    f'"><script>{SCRIPT}</script>',
    f"</script><script>{SCRIPT}</script>",
    f"'-({SCRIPT})-'<svg onload={SCRIPT}>",
    f"![x](//evil.example/b.png)[y](javascript:{SCRIPT})",
    f"<style>@import '//evil.example/c'</style><iframe srcdoc='<script>parent.{SCRIPT}</script>'>",
    f"$\\href{{javascript:{SCRIPT}}}{{x}}$ <a href=javascript:{SCRIPT}>z</a>",
    f"</textarea></title><base href=//evil.example/><details open ontoggle={SCRIPT}>",
)
ALL = " ".join(HOSTILE)


@dataclass
class Kept:
    ids: dict[str, str]
    """What the store holds, by the name that the addresses of pages use."""
    files: dict[str, str]
    """What was taken away of the hostile runs."""


def fill(store: Path) -> Kept:
    """Play what is kept. The newest eight runs, of which the home page has cards, are one of each kind."""
    with Lab(store, executor="thread", tick=0.05) as lab:
        ids = _honest(lab)
        hostile, files = _hostile(lab)
    return Kept({**ids, **hostile}, files)


def _honest(lab: Lab) -> dict[str, str]:
    base = preset_config("ring-mlp").replace(TINY).to_dict()
    variants = [{"name": "NS", "changes": {}}, {"name": "LS", "changes": {"objective.loss": "least_squares"}}]
    made = {"duel": lab.compare(Comparison.load({"base": base, "variants": variants, "seeds": [0, 1], "rounds": 60}))}
    for run in lab.members(made["duel"]):
        assert lab.wait(run, 120).status == "finished"
    for name, preset in RUNS.items():
        made[name] = lab.submit(preset_config(preset).replace(TINY), name=f"the {name} that is read")
        assert lab.wait(made[name], 120).status == "finished"
    settings = load_study({"protocol": "augmentation", "sizes": [5, 20], "seeds": [0, 1]})
    study = begin(lab.store, settings, name="the study that is read")
    made["study"] = study.id
    for place, cell in enumerate(PROTOCOLS["augmentation"].cells(settings)):
        lab.store.studies.add_row(study.id, cell.key, {"accuracy": 0.5 + 0.02 * (place % 7)}, 1.0)
    lab.store.studies.update(study.id, status="finished")
    return made


def _hostile(lab: Lab) -> tuple[dict[str, str], dict[str, str]]:
    """Runs of which everything that a person or an imported pack may say is hostile, and the files that tell of them."""
    small = {"device": "cpu", "diagnostics.every": 5, "diagnostics.samples": 32, "schedule.rounds": 5}
    base = preset_config("ring-mlp", {**small, "data.batch_size": 16})
    variants = [{"name": HOSTILE[0][:60], "changes": {}}, {"name": HOSTILE[4][:60], "changes": {"objective": "ls_gan"}}]
    comparison = lab.compare(Comparison.load({"base": base, "variants": variants, "seeds": [0]}), name=HOSTILE[2])
    runs = lab.members(comparison)
    assert {lab.wait(run, 120).status for run in runs} == {"finished"}
    for state in ("finished", "failed"):  # of digits, as from a pack
        config = preset_config("digits-mlp", small).model_dump(mode="json")
        runs.append(lab.store.create(f"digits-{state}", name=HOSTILE[0], config=config).id)
        losses = np.array([[1.4, 0.7], [1.3, 0.8]])
        lab.store.append(runs[-1], "turns", ["D.loss", "G.loss"], np.array([1, 5]), losses)
        lab.store.add_frame(runs[-1], 5, {"histogram": {"counts": [*range(11)], "n": 55}})
        lab.store.update(runs[-1], status=state, rounds=5, message=ALL, traceback=ALL)
    for run, text in zip(runs, HOSTILE, strict=False):
        lab.store.update(run, name=text, note=ALL, tags=[one[:40] for one in HOSTILE])
        lab.store.add_event(run, 0, "reference", {"class_names": [*HOSTILE, "8", "9"]})
        lab.store.add_event(run, 5, "note", {"text": ALL, "sentence": ALL})
    study = begin(lab.store, {"protocol": "augmentation", "seeds": [0], "sizes": [5]}, name=HOSTILE[0])
    lab.store.studies.add_row(study.id, "real-5-0", {"accuracy": 0.5}, 1.0)
    lab.store.studies.update(study.id, status="failed", message=ALL)
    lab.store.flush()
    with zipfile.ZipFile(io.BytesIO(hand_in(lab.store, runs[-2], name=HOSTILE[1], answers=ALL))) as archive:
        handed_in = archive.read("hand-in.html").decode()
    files = {f"{one}.html": report(lab.store, one) for one in (comparison, *runs[-2:])} | {"hand-in.html": handed_in}
    names = ("hostile", "hostile-beside", "hostile-digits", "hostile-failed")
    return {"hostile-duel": comparison, "hostile-study": study.id, **dict(zip(names, runs, strict=True))}, files
