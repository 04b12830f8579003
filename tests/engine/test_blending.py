"""Between two runs of one network: the weights at a share of the way, what they read, and what has nothing between."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from opening import button, open_page
from PIL import Image

import gan_core.engine
from gan_core import api
from gan_core.cli import main
from gan_core.config import RunConfig
from gan_core.engine import Lab
from gan_core.engine.exchange.blending import along, open_blend
from gan_core.engine.exchange.generator import NothingToPlay, open_game
from gan_core.store import RunStore
from gan_core.training import Game, load_source, resolve
from gan_core.training.games.pix2pix import Pix2pix
from gan_core.ui.blending import plane

SMALL = {
    "game": "pix2pix",
    "model.generator.architecture": "srresnet",
    "model.generator.widths": [4],
    "model.generator.normalization": "none",
    "model.discriminator.widths": [4, 4],
    "data.name": "digits8",
    "data.batch_size": 8,
    "translation.degradation": "half_size",
    "translation.adversarial_weight": 0,
    "optimizers.generator.lr": 0.02,
    "diagnostics.samples": 32,
    "schedule.rounds": 6,
    "device": "cpu",
}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str, str]:
    """A store with a run, one that was forked from it with an average and a D that is heeded, and one of other networks."""
    root = tmp_path_factory.mktemp("blend") / "runs"
    with Lab(root, executor="thread", tick=0.05) as lab:
        config = resolve(RunConfig().replace(SMALL))
        first = lab.submit(config)
        lab.wait(first, 60)
        more = {"translation.adversarial_weight": 0.5, "tricks.ema_decay": 0.5, "schedule.rounds": 12}
        second = lab.fork(first, more)
        wider = lab.submit(config.replace({"model.generator.widths": [5], "schedule.rounds": 2}))
        assert all(lab.wait(run, 60).status == "finished" for run in (second, wider))
    return root, first, second, wider


def shown(game: Game) -> dict[str, torch.Tensor]:
    assert isinstance(game, Pix2pix)
    return dict(game.sampled.state_dict())


def test_blended_weights_lie_between_the_two_ends_that_are_shown(
    kept: tuple[Path, str, str, str],
) -> None:
    root, first, second, _ = kept
    with RunStore(root) as store:
        ends = [open_game(store, run).game for run in (first, second)]
        assert "G_average" in ends[1].networks
        begin, end = map(shown, ends)
        assert not all(map(torch.equal, begin.values(), end.values()))
        for share in (0.0, 0.25, 1.0):
            for name, tensor in shown(open_blend(store, first, second, share).game).items():
                torch.testing.assert_close(tensor, (1 - share) * begin[name] + share * end[name])
        rows = along(store, first, second, (0, 0.5, 1))
        backwards = along(store, second, first, (1, 0.5, 0))
    assert [row["share"] for row in rows] == [0, 0.5, 1]
    for one, other in zip(rows, backwards, strict=True):
        assert {**other, "share": one["share"]} == pytest.approx(one, rel=1e-4), "the way back is the same"
    assert len({row["psnr"] for row in rows}) == 3


def test_the_same_from_python_and_from_a_terminal(
    kept: tuple[Path, str, str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, first, second, wider = kept
    x = load_source(resolve(RunConfig().replace(SMALL))).x[:2].numpy()  # type: ignore[union-attr]
    ends = [api.translate(run, x, store=root) for run in (first, second)]
    assert not np.array_equal(*ends)
    for share, end in zip((0.0, 1.0), ends, strict=True):
        np.testing.assert_array_equal(api.translate(first, x, between=second, share=share, store=root), end)
    assert main(["along", first, second, "--shares", "0,0.5", "--json", "--store", str(root)]) == 0
    told = json.loads(capsys.readouterr().out)["rows"]
    table = api.along(first, second, (0, 0.5), store=root).to_dict("records")
    assert all(row == pytest.approx(one) for row, one in zip(told, table, strict=True))
    picture, made = tmp_path / "in.png", tmp_path / "out.png"
    assert main(["translate", first, "--image", str(picture), "--between", second, "--store", str(root)]) == 2
    Image.fromarray(x[0, 0]).save(picture)
    arguments = ["translate", first, "--image", str(picture), "--to", str(made), "--store", str(root)]
    assert main([*arguments, "--between", second, "--share", "0.25"]) == 0
    quarter = api.translate(first, picture, between=second, share=0.25, store=root)
    np.testing.assert_array_equal(np.asarray(Image.open(made)), quarter[0])
    capsys.readouterr()
    assert main(["along", first, wider, "--store", str(root)]) == 2
    assert "model.generator.widths" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*arguments, "--between", second, "--share", "1.5"])


def test_on_the_page_of_the_fork_a_slider_goes_from_one_to_the_other(
    kept: tuple[Path, str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, first, second, wider = kept
    title = "Between this run and the one it went on from"
    with Lab(root, executor="thread") as lab:
        monkeypatch.setattr(gan_core.engine, "_current", lab)
        for run in (first, wider):
            assert title not in [one.label for one in open_page("watch", run=run).expander]
        app = open_page("watch", run=second)
        assert title in [one.label for one in app.expander]
        button(app, "between").click().run()
        (table,) = [one.value for one in app.dataframe if "share" in one.value]
        assert table["psnr"].tolist() == pytest.approx([row["psnr"] for row in along(lab.store, first, second)])
        app.slider(key=f"share:{second}").set_value(1.0).run()
        assert [error.message for error in app.exception] == []
        assert any("at round 12" in one.value for one in app.caption)


def test_the_way_on_the_plane_ends_at_both_runs() -> None:
    rows = [{"share": share, "psnr": 18 - share, "target_frechet": 90 - 50 * share} for share in (0, 0.5, 1)]
    way, here = plane(rows, rows[1]).data
    assert (list(way.x), list(way.y), list(way.text)) == ([18, 17.5, 17], [90, 65, 40], ["0%", "", "100%"])
    assert (list(here.x), list(here.y), list(here.customdata)) == ([17.5], [65], ["50%"])
    assert plane(rows, rows[1]).layout.xaxis.autorange == "reversed"


def test_what_has_nothing_between_is_refused(kept: tuple[Path, str, str, str]) -> None:
    root, first, second, wider = kept
    with RunStore(root) as store:
        with pytest.raises(NothingToPlay, match=r"differ in model\.generator\.widths"):
            open_blend(store, first, wider, 0.5)
        with pytest.raises(ValueError, match="between 0 and 1"):
            open_blend(store, first, second, 1.5)
