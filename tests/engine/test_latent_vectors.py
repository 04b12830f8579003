"""What is done with z as a vector, against what is known of it exactly."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from gan_core.engine.exchange.interpolation import part_of_the_way
from gan_core.engine.latent.inversion import search
from gan_core.engine.latent.pictures import as_mnist
from gan_core.engine.latent.recipes import Wrong, code_of, z_of
from gan_core.engine.latent.vectors import (
    across_classes,
    class_means,
    ganspace,
    nearest,
    on_shell,
    principal_plane,
    sefa,
    towards_classes,
)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# -- the way ---------------------------------------------------------------------------------------------------------


def test_from_a_point_to_itself_the_way_stands_still() -> None:
    z = normal(7, 16)
    for share in (0.0, 0.3, 1.0):
        torch.testing.assert_close(part_of_the_way(z, z, share, straight=False), z)


def test_between_equal_norms_the_norm_stays_and_both_ends_are_exact() -> None:
    a, b = (on_shell(normal(50, 32, seed=seed), 32**0.5) for seed in (1, 2))
    for share in (0.1, 0.5, 0.9):
        torch.testing.assert_close(
            part_of_the_way(a, b, share, straight=False).norm(dim=1), torch.full((50,), 32**0.5), rtol=1e-5, atol=0
        )
    assert torch.equal(part_of_the_way(a, b, 0.0, straight=False), a)
    assert torch.equal(part_of_the_way(a, b, 1.0, straight=False), b)


@pytest.mark.parametrize("end", [-1.0, -1.0 - 1e-7, 0.0, 2.0])
def test_no_way_has_a_number_that_is_none(end: float) -> None:
    z = normal(3, 8)
    shares = torch.linspace(0, 1, 9)[:, None, None]
    way = part_of_the_way(z, end * z, shares, straight=False)
    assert torch.isfinite(way).all()
    assert torch.equal(way[-1], end * z)
    if end == -1.0:
        torch.testing.assert_close(way.norm(dim=-1), z.norm(dim=-1).expand(9, 3))


@pytest.mark.parametrize(("d", "outside"), [(2, 0.02), (16, 0.25), (32, 0.58), (50, 0.83), (62, 0.92), (100, 0.995)])
def test_midpoints_leave_the_shell_as_the_dimension_grows(d: int, outside: float) -> None:
    z = normal(20_000, d, seed=d)
    middle = part_of_the_way(z[::2], z[1::2], 0.5, straight=True).norm(dim=1)
    assert middle.square().mean().sqrt() == pytest.approx(math.sqrt(d / 2), rel=0.02)
    assert (middle < z.norm(dim=1).quantile(0.01)).float().mean() == pytest.approx(outside, abs=0.02)


# -- classes ---------------------------------------------------------------------------------------------------------


def test_the_mean_of_a_class_is_put_back_on_the_shell() -> None:
    z = normal(2000, 32)
    labels = (z[:, 0] > 0).long()
    labels[:10] = 5  # of no class
    means = class_means(z, labels, 3)
    torch.testing.assert_close(means[1], z[labels == 1].mean(0))
    assert means[2].isnan().all()
    assert means[:2].norm(dim=1).max() < 1.5
    torch.testing.assert_close(on_shell(means[:2], 32**0.5).norm(dim=1), torch.full((2,), 32**0.5))
    assert torch.equal(on_shell(torch.zeros(2, 4), 2.0), torch.zeros(2, 4))
    away = towards_classes(means)
    assert away[1, 0] == pytest.approx(1, abs=0.05)
    assert away[2].eq(0).all()


def test_a_regression_finds_the_direction_that_tells_classes_apart() -> None:
    z = normal(4000, 3)
    z[:, 1] = 0.8 * z[:, 0] + 0.6 * z[:, 1]
    labels = (z[:, 0] + 0.3 * normal(4000, 1, seed=9)[:, 0] > 0).long()
    labels[:10] = -1
    found = across_classes(z, labels, 3)
    assert found.vectors[1, 0] > 0.99
    torch.testing.assert_close(found.vectors[0], -found.vectors[1])
    assert found.vectors[2].eq(0).all()
    assert towards_classes(class_means(z[10:], labels[10:], 2))[1, 0] < 0.85, "the mean leans to what is correlated"
    assert across_classes(z, torch.full((4000,), -1), 2).vectors.eq(0).all()


# -- directions ------------------------------------------------------------------------------------------------------


def separated(d: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    """A weight (20, d) with singular values 2^d … 2, and its right singular vectors."""
    left = torch.linalg.qr(normal(20, d, seed=3))[0]
    right = torch.linalg.qr(normal(d, d, seed=4))[0]
    return left @ torch.diag(2.0 ** torch.arange(d, 0, -1)) @ right.T, right.T


def test_sefa_finds_the_right_singular_vectors_of_the_first_weight() -> None:
    weight, right = separated()
    found = sefa(weight)
    torch.testing.assert_close((found.vectors * right).sum(1).abs(), torch.ones(6), rtol=1e-4, atol=0)
    torch.testing.assert_close(found.strengths, 2.0 ** torch.arange(6, 0, -1), rtol=1e-4, atol=0)
    assert (found.vectors.gather(1, found.vectors.abs().argmax(1, keepdim=True)) > 0).all()


def test_components_of_a_linear_layer_are_those_directions() -> None:
    weight, right = separated()
    z = normal(4000, 6)
    found = ganspace(z, z @ weight.T, 4)
    assert ((found.vectors * right[:4]).sum(1).abs() > 0.99).all()


def test_the_plane_of_two_numbers_is_the_code_itself() -> None:
    middle, axes = principal_plane(normal(50, 2) + 3)
    assert torch.equal(middle, torch.zeros(2))
    assert torch.equal(axes, torch.eye(2))
    codes = torch.cat([5 * normal(900, 1, seed=1), normal(900, 1, seed=2), 0.1 * normal(900, 3, seed=3)], 1)
    middle, axes = principal_plane(codes)
    assert axes.abs()[0, 0] > 0.99
    assert axes.abs()[1, 1] > 0.99


# -- neighbours, inversion, pictures -----------------------------------------------------------------------------------


def test_a_copy_is_at_distance_0_of_what_it_copies() -> None:
    data = normal(300, 1, 9, 9) + 30  # far from 0, where products would lose the difference
    distances, index = nearest(data[[7, 200]], data, 3)
    assert index[:, 0].tolist() == [7, 200]
    assert distances[:, 0].tolist() == [0.0, 0.0]
    far = (data - data[7]).flatten(1).norm(dim=1)
    torch.testing.assert_close(distances[0], far.sort().values[:3])


def test_the_search_finds_the_z_of_what_a_known_generator_made() -> None:
    weight = normal(40, 5, seed=6) / 5**0.5
    wanted = normal(3, 5, seed=7)

    def make(z: torch.Tensor) -> torch.Tensor:
        return z @ weight.T

    steps = list(search(make, make(wanted), 0.5 * normal(2, 3, 5, seed=8), 200))
    assert [found.step for found in steps] == list(range(201))
    torch.testing.assert_close(steps[-1].z, wanted, atol=0.02, rtol=0)
    errors = torch.stack([found.error for found in steps])
    assert (errors.diff(dim=0) <= 0).all()
    for at in (0, -1):  # the best of the starts, from the beginning
        torch.testing.assert_close(errors[at], (make(steps[at].z) - make(wanted)).square().mean(1))


def test_a_drawing_lies_where_mnist_would_have_it() -> None:
    drawing = np.zeros((280, 280), np.uint8)
    drawing[10:110, 5:25] = 255  # a bar in the upper left corner
    made = as_mnist(drawing, 28)
    rows, columns = np.nonzero(made)
    assert (made.shape, np.ptp(rows) + 1, np.ptp(columns) + 1) == ((28, 28), 20, 4)
    assert [rows.mean(), columns.mean()] == pytest.approx([13.5, 13.5], abs=0.5)
    with pytest.raises(Wrong, match="Nothing is drawn"):
        as_mnist(np.zeros((280, 280), np.uint8), 28)


def test_a_z_fits_an_address() -> None:
    z = normal(32).numpy()
    assert len(code_of(z)) < 100
    np.testing.assert_allclose(z_of(code_of(z)[1:], 32), z, atol=2e-3)
    for wrong in ("AAAA", "!", "_" * 86):
        with pytest.raises(Wrong):
            z_of(wrong, 32)
