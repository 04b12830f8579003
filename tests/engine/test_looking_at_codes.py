"""Looking at a prior with categories: a row for each in the picture, and how they agree with the classes of the data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gan_core.config import RunConfig
from gan_core.data import to_unit
from gan_core.engine.messages import ClassGrid
from gan_core.engine.observers import CategoryObserver, EncodedObserver, Observer, observer_for
from gan_core.engine.observers.base import Unmeasured
from gan_core.training import GAMES, load_source, resolve
from gan_core.training.latent import Categorical, CodedLatent


def config_of(data: str, changes: dict[str, Any] | None = None) -> RunConfig:
    base = RunConfig.load({"game": "infogan", "data": {"name": data}, "device": "cpu", "seed": 3})
    small = {"model.latent_dim": 4, "code.categories": 8, "diagnostics.samples": 400, "diagnostics.grid": 45}
    return resolve(base.replace({**small, **(changes or {})}))


class OnTheRing:
    """A game that puts sample i on the mode ``where`` its category says, and reads the nearest mode off real points."""

    packing = 1

    def __init__(self, config: RunConfig, where: list[int]) -> None:
        self.source = load_source(config)
        latent = GAMES["infogan"].latent(config)
        assert isinstance(latent, CodedLatent)
        self.latent, self.where = latent, torch.tensor(where)

    def sample(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        modes = self.where[self.latent.category_of(z)]
        return torch.as_tensor(self.source.to_network(self.source.centers[modes]), dtype=torch.float32)

    def categorise(self, x: Tensor) -> Tensor:
        centers = torch.as_tensor(self.source.to_network(self.source.centers), dtype=torch.float32)
        nearest = torch.cdist(x, centers).argmin(1)
        return torch.nn.functional.one_hot(self.where[nearest], 8).float()


def looking(config: RunConfig, classifier: Any = None) -> Observer:
    """What looks at samples and categories, without what looks at codes around that."""
    observer = observer_for(config, load_source(config), lambda source: classifier)
    return observer.inner if isinstance(observer, EncodedObserver) else observer


def numbers_of(game: Any, config: RunConfig) -> dict[str, float]:
    observer = looking(config)
    assert isinstance(observer, CategoryObserver)
    return observer.look(game, 1)[0]


def test_codes_that_are_modes_agree_wholly_and_two_on_one_mode_do_not() -> None:
    config = config_of("ring")
    numbers = numbers_of(OnTheRing(config, [3, 1, 0, 2, 7, 6, 5, 4]), config)
    assert numbers["code_agreement"] == 1
    assert numbers["code_of_real"] == 1
    assert numbers["kmeans_of_real"] > 0.85
    assert 0.125 < numbers["code_by_chance"] < 0.25
    twice = numbers_of(OnTheRing(config, [0, 0, 1, 1, 2, 2, 3, 3]), config)
    assert twice["code_agreement"] == pytest.approx(0.5, abs=0.08)
    assert twice["code_of_real"] == pytest.approx(0.5, abs=0.08)


def test_points_off_every_mode_are_wrong_whatever_their_code() -> None:
    config = config_of("ring")
    game = OnTheRing(config, list(range(8)))
    right = game.sample
    game.sample = lambda z, y=None: 1.2 * right(z)  # type: ignore[method-assign]
    assert numbers_of(game, config)["code_agreement"] == 0


def test_codes_are_not_measured_where_there_is_no_class_or_no_category() -> None:
    assert not isinstance(looking(config_of("spirals")), CategoryObserver)
    assert not isinstance(looking(config_of("ring", {"code.categories": 0})), CategoryObserver)
    assert isinstance(looking(config_of("ring")), CategoryObserver)


class Drawn:
    """Makes real digits: by the class that ``named`` gives a category, or blank."""

    packing = 1

    def __init__(self, latent: CodedLatent, source: Any) -> None:
        self.latent, self.source = latent, source
        self.seen: list[Tensor] = []

    def sample(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        self.seen.append(z)
        of_class = [self.source.x[self.source.y == k][:1] for k in range(10)]
        return to_unit(torch.cat(of_class)[(self.latent.category_of(z) + 3) % 10])


class Knowing:
    """A classifier that knows the digits that `Drawn` makes, and is unsure of one of them."""

    def __init__(self, source: Any) -> None:
        self.x = torch.cat([to_unit(source.x[source.y == k][:1]).flatten(1) for k in range(10)])

    def probabilities(self, x: Tensor) -> np.ndarray:
        nearest = torch.cdist(x.flatten(1), self.x).argmin(1).numpy()
        sure = np.where(nearest == 0, 0.5, 0.9)[:, None]
        return np.where(np.arange(10) == nearest[:, None], sure, (1 - sure) / 9)


def test_images_have_a_row_per_category_and_unsure_is_no_agreement() -> None:
    config = config_of("digits8", {"code.categories": 10, "data.options": {"size": 8}})
    source, latent = load_source(config), GAMES["infogan"].latent(config)
    assert isinstance(latent, CodedLatent)
    game = Drawn(latent, source)
    numbers, sight = looking(config).look(game, 1)  # type: ignore[arg-type]
    assert not numbers, "there is no classifier yet"
    grid = sight.parts["grid"]
    assert isinstance(grid, ClassGrid)
    assert (grid.rows, grid.classes, grid.images.shape[:2]) == ("code", tuple(range(10)), (10, 4))
    z = game.seen[0].reshape(10, 4, -1)
    assert (latent.category_of(z.flatten(0, 1)).reshape(10, 4) == torch.arange(10)[:, None]).all()
    rest = [*range(4), *range(14, 16)]
    assert torch.equal(z[..., rest], z[:1][..., rest].expand(10, -1, -1)), "down a column all else is the same"
    assert not torch.equal(z[0, 0, rest], z[0, 1, rest])

    seeing = looking(config, Knowing(source))
    with pytest.raises(Unmeasured):
        seeing.look(game, 1)  # type: ignore[arg-type]  # the observer of the images asks this classifier for features
    assert isinstance(seeing, CategoryObserver)
    measured = seeing._measured(game)  # type: ignore[arg-type]
    assert measured["code_agreement"] == pytest.approx(0.9, abs=0.05)
    assert "code_of_real" not in measured, "this game reads no category off a sample"


class InPetals:
    """An adversarial autoencoder that puts each point of the ring into the petal that ``where`` gives its mode, and back."""

    packing = 1

    def __init__(self, config: RunConfig, where: list[int]) -> None:
        self.source, self.where = load_source(config), torch.tensor(where)
        self.petals = GAMES["aae"].latent(config)
        assert isinstance(self.petals, Categorical)

    def sample(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        modes = self.where.argsort()[self.petals.category_of(z)]
        return torch.as_tensor(self.source.to_network(self.source.centers[modes]), dtype=torch.float32)

    def encode(self, x: Tensor) -> Tensor:
        centers = torch.as_tensor(self.source.to_network(self.source.centers), dtype=torch.float32)
        return self.petals.with_category(torch.tensor([[4.0, 0.0]]), self.where[torch.cdist(x, centers).argmin(1)])


def test_petals_of_a_code_are_read_off_encoded_real_samples() -> None:
    prior = {"prior.kind": "petals", "prior.petals": 8, "diagnostics.samples": 400}
    config = resolve(RunConfig.load({"game": "aae", "data": {"name": "ring"}, "device": "cpu"}).replace(prior))
    numbers = numbers_of(InPetals(config, [3, 1, 0, 2, 7, 6, 5, 4]), config)
    assert numbers["code_agreement"] == numbers["code_of_real"] == 1
