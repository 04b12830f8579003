"""The U-Net and the patch discriminator against what is known of them by arithmetic."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from gan_core.data import DEGRADATIONS
from gan_core.data.degradations import bicubic
from gan_core.models import Layers, initialize, logits_on_a_side, patch_discriminator, receptive_field, srresnet, unet
from gan_core.models.translation import ULevel

BATCH = Layers((4, 8), normalization="batch")


def filled(network: nn.Module) -> nn.Module:
    initialize(network, "dcgan", lambda part: torch.Generator().manual_seed(sum(map(ord, part))))
    return network


@pytest.mark.parametrize("side", [7, 14, 25, 27, 28, 29, 31, 32, 64])
def test_a_unet_keeps_every_size_and_each_output_is_its_inputs_alone(side: int) -> None:
    network = filled(unet((1, side, side), BATCH)).eval()
    x = torch.rand(3, 1, side, side + 2, generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.no_grad():
        out = network(x)
        assert out.shape == x.shape
        assert out.abs().max() <= 1
        torch.testing.assert_close(network(x[:1]), out[:1])


def test_weights_are_counted_as_by_hand() -> None:
    """From one channel to three these are 60,963 and, of a pair of four channels, 43,313."""
    layers = Layers((16, 32, 64), normalization="batch")
    networks = unet((1, 28, 28), layers), patch_discriminator((1, 28, 28), layers)
    learnt = [sum(parameter.numel() for parameter in network.parameters()) for network in networks]
    assert learnt == [60_963 - 2 * (16 * 9 + 1), 43_313 - 2 * 16 * 16]


@pytest.mark.parametrize(("strided", "field"), [(0, 7), (1, 16), (2, 34), (3, 70), (4, 142), (5, 286)])
def test_the_receptive_field_is_what_gradients_reach(strided: int, field: int) -> None:
    assert receptive_field(strided) == field
    if strided > 3:
        return
    side = 3 * field
    network = patch_discriminator((1, side, side), Layers((2,) * (strided + 1), leaky_slope=0.9), conditional=False)
    for parameter in network.parameters():
        nn.init.constant_(parameter, 0.1)
    x = torch.zeros(1, 1, side, side, requires_grad=True)
    logits = network(x)
    assert logits.shape[2] == logits_on_a_side(side, strided)
    middle = logits.shape[2] // 2
    (gradient,) = torch.autograd.grad(logits[0, 0, middle, middle], x)
    seen = gradient[0, 0] != 0
    assert (int(seen.any(0).sum()), int(seen.any(1).sum())) == (field, field)


@pytest.mark.parametrize(
    ("side", "logits"), [(28, [26, 12, 5, 1, 0]), (32, [30, 14, 6, 2, 0]), (64, [62, 30, 14, 6, 2])]
)
def test_how_many_logits_there_are(side: int, logits: list[int]) -> None:
    assert [logits_on_a_side(side, strided) for strided in range(5)] == logits
    assert logits_on_a_side(256, 3) == 30


def test_what_is_put_beside_is_what_came() -> None:
    """An activation that changes its input in place would change what is put beside the next one."""
    network = unet((1, 9, 9), BATCH)
    came: list[Tensor] = []
    for level in network.modules():
        if isinstance(level, ULevel):
            level.register_forward_pre_hook(lambda _, inputs: came.append(inputs[0].clone()))
            level.up.register_forward_pre_hook(lambda _, inputs: came.append(inputs[0]))
    network(torch.rand(2, 1, 9, 9))
    outer, inner, inner_beside, outer_beside = came
    assert torch.equal(inner_beside[:, -inner.shape[1] :], inner)
    assert torch.equal(outer_beside[:, -outer.shape[1] :], outer)


def test_neither_end_is_normalised_and_no_epsilon_is_a_momentum() -> None:
    """A normalisation before tanh would fix the mean and the contrast of every output; its second argument is epsilon."""
    generator, discriminator = unet((1, 28, 28), BATCH), patch_discriminator((1, 28, 28), BATCH)
    assert [type(module) for module in list(generator)[-2:]] == [nn.Conv2d, nn.Tanh]
    assert isinstance(list(discriminator)[-1], nn.Conv2d)
    norms = [module for net in (generator, discriminator) for module in net.modules() if hasattr(module, "eps")]
    assert norms
    assert all(norm.eps < 1e-3 for norm in norms)
    top = next(iter(generator))
    assert isinstance(top, ULevel)
    assert not any(hasattr(module, "eps") for module in top.down)


def test_a_constant_input_gives_no_checkerboard() -> None:
    network = filled(unet((1, 28, 28), BATCH)).eval()
    with torch.no_grad():
        inner = network(torch.full((1, 1, 56, 56), 0.3))[..., 24:32, 24:32]
    torch.testing.assert_close(inner, inner.mean().expand_as(inner), atol=1e-6, rtol=0)


@pytest.mark.parametrize(("side", "factor"), [(28, 4), (28, 2), (27, 4), (9, 2)])
def test_super_resolution_adds_to_the_bicubic_enlargement(side: int, factor: int) -> None:
    """With its last layer at zero it is that enlargement, of the mean of each square, at any size."""
    network = filled(srresnet((3, side, side + 2), Layers((8, 6)), factor)).eval()
    last = [module for module in network.modules() if isinstance(module, nn.Conv2d)][-1]
    x = torch.rand(2, 3, side, side + 2, generator=torch.Generator().manual_seed(1)) * 2 - 1
    mosaic = DEGRADATIONS["quarter_size" if factor == 4 else "half_size"].apply(x, torch.Generator())
    with torch.no_grad():
        assert not torch.equal(network(mosaic).clamp(-1, 1), bicubic(mosaic, factor))
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        torch.testing.assert_close(network(mosaic).clamp(-1, 1), bicubic(mosaic, factor))


def test_the_weights_of_super_resolution_are_counted_as_by_hand() -> None:
    network = srresnet((1, 28, 28), Layers((32, 32)), 4)
    assert sum(parameter.numel() for parameter in network.parameters()) == 43_169
    assert not any(hasattr(module, "eps") for module in network.modules()), "a normalisation hurts super-resolution"
    for factor in (1, 3):
        with pytest.raises(ValueError, match="cannot be enlarged"):
            srresnet((1, 28, 28), Layers((4,)), factor)
