"""Classic defects of networks from picture to picture, of pyramids and of games without pairs."""

from __future__ import annotations

from benchmarks.defect import GAMES, TESTS, Defect

_PYTORCH_GAN = "eriklindernoren/PyTorch-GAN"
_JUNYANZ = "junyanz/pytorch-CycleGAN-and-pix2pix"
_CYCLEGAN, _PIX2PIX, _LAPGAN = (f"{GAMES}/{name}.py" for name in ("cyclegan", "pix2pix", "lapgan"))
_NETWORKS, _PYRAMID, _DEGRADATIONS = "models/translation.py", "models/pyramid.py", "data/degradations.py"
_MEASURES, _HELD_PAIRS, _HELD_BOTH = (
    "metrics/translation.py",
    "engine/observers/translated.py",
    "engine/observers/cycled.py",
)
_OF_NETWORKS, _OF_MEASURES = "tests/models/test_translation_networks.py", "tests/metrics/test_translation.py"
_OF_PAIRS, _OF_BOTH = "tests/engine/test_looking_at_pairs.py", "tests/engine/test_looking_both_ways.py"
_POOL_TEST = f"{TESTS}cyclegan.py::test_a_full_pool_gives_back_new_outputs_half_of_the_time"
_INTO_SKIP = "h = interpolate(h, size=x.shape[2:], mode="

_NETWORK_DEFECTS = (
    Defect(
        "BatchNorm2d(width, 0.8) in a U-Net, which is eps and no momentum",
        f"{_PYTORCH_GAN}, pix2pix/models.py",
        "models/blocks.py",
        (("nn.BatchNorm2d(width)", "nn.BatchNorm2d(width, 0.8)"),),
        f"{_OF_NETWORKS}::test_neither_end_is_normalised_and_no_epsilon_is_a_momentum",
    ),
    Defect(
        "a U-Net that takes only multiples of 2 to the power of its depth",
        f"{_JUNYANZ}#123, #566, #1142",
        _NETWORKS,
        ((_INTO_SKIP, "h = interpolate(h, scale_factor=2, mode="),),
        f"{_OF_NETWORKS}::test_a_unet_keeps_every_size_and_each_output_is_its_inputs_alone",
    ),
    Defect(
        "a LeakyReLU in place, which changes the skip that is put beside",
        "U-Nets with `inplace=True`",
        _NETWORKS,
        (("h = self.down(x)", "h = self.down(torch.nn.functional.leaky_relu_(x, 0.2))"),),
        f"{_OF_NETWORKS}::test_what_is_put_beside_is_what_came",
    ),
    Defect(
        "a normalisation directly before tanh",
        "chainer-cyclegan#2",
        _NETWORKS,
        (
            (
                "kernel_size=3, padding=1), nn.Tanh())",
                "kernel_size=3, padding=1), nn.InstanceNorm2d(made or channels), nn.Tanh())",
            ),
        ),
        f"{TESTS}cyclegan.py::test_the_last_layers_of_a_translator_are_a_convolution_and_tanh",
    ),
    Defect(
        "a transposed convolution whose kernels overlap unevenly: a checkerboard",
        f"{_JUNYANZ}#64, #190; ganhacks#59",
        _NETWORKS,
        (
            (
                '        h = interpolate(h, size=x.shape[2:], mode="nearest")\n',
                "        kernels = torch.ones(h.shape[1], 1, 3, 3) / 2\n"
                "        h = torch.nn.functional.conv_transpose2d(\n"
                "            h, kernels, stride=2, padding=1, output_padding=1, groups=h.shape[1]\n"
                "        )[..., : x.shape[2], : x.shape[3]]\n",
            ),
        ),
        f"{_OF_NETWORKS}::test_a_constant_input_gives_no_checkerboard",
    ),
    Defect(
        "the first layer of a patch discriminator is normalised",
        "PatchGANs after DCGAN's habit",
        _NETWORKS,
        (("spatial=True, normalize=index > 0)", "spatial=True)"),),
        f"{_OF_NETWORKS}::test_weights_are_counted_as_by_hand",
    ),
    Defect(
        "the field of a patch, counted from the wrong end",
        "phillipi/pix2pix#25, the appendix of the paper",
        _NETWORKS,
        (("for stride in (1, 1, *[2] * strided):", "for stride in (*[2] * strided, 1, 1):"),),
        f"{_OF_NETWORKS}::test_the_receptive_field_is_what_gradients_reach",
    ),
    Defect(
        "one value of a channel is normalised over, and nothing said",
        "U-Nets down to 1×1 with instance normalisation",
        _PIX2PIX,
        (('if least == 1 and generator.normalization == "instance":', "if False:"),),
        f"{TESTS}pix2pix.py::test_what_cannot_play_is_refused",
    ),
)

_PAIR_DEFECTS = (
    Defect(
        "an output by the moments of its batch, or with dropout on",
        f"phillipi/pix2pix#34; {_JUNYANZ}#555, #828, #835, #1329; pix2pixHD#175",
        _PIX2PIX,
        (("with evaluated(self.sampled):", "with torch.no_grad():"),),
        f"{TESTS}pix2pix.py::test_an_answer_is_always_the_same_and_leaves_no_trace",
    ),
    Defect(
        "the distance as a sum over pixels, with the λ of a mean",
        "λ = 100 with `size_average=False`",
        _PIX2PIX,
        (
            (
                "DISTANCES[weights.distance][1](made, target)\n",
                'DISTANCES[weights.distance][1](made, target, reduction="sum")\n',
            ),
        ),
        f"{TESTS}pix2pix.py::test_the_losses_are_those_of_the_paper",
    ),
    Defect(
        "D's loss is not halved",
        "ports of pix2pix",
        _PIX2PIX,
        (("(softplus(-real).mean() + softplus(fake).mean()) / 2", "softplus(-real).mean() + softplus(fake).mean()"),),
        f"{TESTS}pix2pix.py::test_the_losses_are_those_of_the_paper",
    ),
    Defect(
        "D does not see the input that it was built for",
        "ports of pix2pix; the row *unconditional* of the paper",
        _PIX2PIX,
        (("self.D(output, given) if self.sees_input", "self.D(output, output) if self.sees_input"),),
        f"{TESTS}pix2pix.py::test_a_swapped_pair_is_another_pair_only_to_a_d_that_sees_the_input",
    ),
    Defect(
        "the median where the mean is asked for",
        "L1 and L2 taken for one another",
        _PIX2PIX,
        (('"l2": ("mean squared error", mse_loss)', '"l2": ("mean squared error", l1_loss)'),),
        f"{TESTS}pix2pix.py::test_a_distance_is_least_at_the_median_or_at_the_mean",
    ),
    Defect(
        "input and target are shuffled, flipped or cropped apart",
        f"{_PYTORCH_GAN}; {_JUNYANZ}#1346",
        "data/stream.py",
        (("to_unit(self._given.index_select(0, chosen))", "to_unit(self._given.index_select(0, chosen)).flip(0)"),),
        "tests/data/test_pairs_brought.py::test_a_run_is_dealt_and_shown_the_pairs_that_were_brought",
    ),
    Defect(
        "digits are flipped from left to right",
        f"{_PYTORCH_GAN}, transforms of cyclegan, also of what is tested on",
        "data/stream.py",
        (("x = to_unit(self._x.index_select(0, chosen))", "x = to_unit(self._x.index_select(0, chosen)).flip(3)"),),
        "tests/data/test_images_and_streams.py::test_mnist_batches_are_training_images_with_their_labels",
    ),
    Defect(
        "every fourth pixel is picked in place of the mean of an area",
        "many",
        _DEGRADATIONS,
        (
            (
                "    return functional.adaptive_avg_pool2d(x, (math.ceil(height / factor), math.ceil(width / factor)))",
                "    return x[..., ::factor, ::factor]",
            ),
        ),
        "tests/data/test_degradations.py::test_a_mosaic_keeps_the_mean_and_has_so_many_pixels",
    ),
    Defect(
        "a drawing is only made smaller, not put where training digits are",
        "canvases for MNIST",
        "engine/latent/pictures.py",
        (
            (
                "np.repeat(as_mnist(found[0], min(height, width))[None], channels, 0)",
                "np.repeat(np.asarray(Image.fromarray(found[0]).resize((width, height)))[None], channels, 0)",
            ),
        ),
        "tests/engine/test_drawing.py::test_the_same_drawing_elsewhere_and_smaller_gives_the_same_picture",
    ),
)

_LOOK_DEFECTS = (
    Defect(
        "other held-out pictures at every look",
        f"{_PYTORCH_GAN}, `sample_images`",
        "engine/observers/held.py",
        (
            (
                'generator = Streams(0).generator("codes", "held out" if heldout else "train")',
                "generator = torch.default_generator",
            ),
        ),
        f"{_OF_PAIRS}::test_rows_show_what_stands_beside_what_and_never_change",
    ),
    Defect(
        "each sheet stretched between its own extremes, which hides that outputs fade",
        f"{_PYTORCH_GAN}, `save_image(normalize=True)`",
        _HELD_PAIRS,
        (
            (
                "kinds = self.inputs, outputs, self.targets, self._nearest",
                "kinds = self.inputs, 2 * (outputs - outputs.min()) / (outputs.max() - outputs.min()) - 1, self.targets, "
                "self._nearest",
            ),
        ),
        f"{_OF_PAIRS}::test_a_sheet_shows_an_output_as_dark_as_it_is",
    ),
    Defect(
        "values outside of the range wrap round as bytes",
        "xinntao/BasicSR#73",
        "data/images.py",
        (
            (
                ".mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)",
                ".mul_(127.5).round_().to(torch.int64).to(torch.uint8)",
            ),
        ),
        "tests/data/test_images_and_streams.py::test_scaling_changes_neither_argument_and_clamps",
    ),
    Defect(
        "PSNR and SSIM of pixels from −1 to 1 with a range of 1",
        "twtygqyy#3, junhocho#1, ShenghaiRong#2",
        _HELD_PAIRS,
        (("((x + 1) / 2).clamp(0, 1).numpy()", "x.numpy()"),),
        f"{_OF_PAIRS}::test_outputs_are_measured_like_what_they_are_beside",
    ),
    Defect(
        "PSNR of the mean error for the mean of the PSNRs",
        "papers that do not say which",
        _MEASURES,
        (
            (
                "each = ((a - b) ** 2).mean(axis=(1, 2, 3))",
                "each = ((a - b) ** 2).mean(axis=(0, 1, 2, 3), keepdims=True)",
            ),
        ),
        f"{_OF_MEASURES}::test_psnr_is_the_mean_of_those_of_the_pictures",
    ),
    Defect(
        "SSIM with windows that reach beyond the picture",
        "scripts in place of Wang's",
        _MEASURES,
        (("return np.asarray(across[..., inside, inside])", "return np.asarray(across)"),),
        f"{_OF_MEASURES}::test_ssim_by_its_definition_at_one_window",
    ),
    Defect(
        "a classifier is given pixels from 0 to 1 that has learnt them from −1 to 1",
        f"{_PYTORCH_GAN}, srgan; leftthomas/SRGAN#62; twhui#1",
        _HELD_PAIRS,
        (("classifier.judge(pictures.contiguous())", "classifier.judge((pictures.contiguous() + 1) / 2)"),),
        _OF_PAIRS,
    ),
    Defect(
        "pictures of the pool are shown beside an a that they were not made of",
        f"{_JUNYANZ}#617",
        _HELD_BOTH,
        (("kinds = (self.a.x, made_b, again_a,", "kinds = (self.a.x, made_b.roll(1, 0), again_a,"),),
        f"{_OF_BOTH}::test_rows_show_each_sample_beside_what_is_made_of_it",
    ),
)

_CYCLE_DEFECTS = (
    Defect(
        "translators are asked with dropout on, or by the moments of a batch",
        f"{_JUNYANZ}#828, #835",
        _CYCLEGAN,
        (("with evaluated(self.G):", "with torch.no_grad():"),),
        f"{TESTS}cyclegan.py::test_outputs_do_not_depend_on_who_else_is_in_the_batch",
    ),
    Defect(
        "the identity term with its arguments swapped",
        "fastai course-v3, PR 449",
        _CYCLEGAN,
        (("(l1_loss(self.G(b), b) + l1_loss(self.F(a), a))", "(l1_loss(self.G(a), b) + l1_loss(self.F(b), a))"),),
        f"{TESTS}cyclegan.py::test_the_identity_has_no_identity_term",
    ),
    Defect(
        "the cycle of each kind compared with the other kind",
        "ports of CycleGAN",
        _CYCLEGAN,
        (
            (
                "cycle_a, cycle_b = l1_loss(again_a, a), l1_loss(again_b, b)",
                "cycle_a, cycle_b = l1_loss(again_a, b), l1_loss(again_b, a)",
            ),
        ),
        f"{TESTS}cyclegan.py::test_a_map_and_its_inverse_lose_nothing_in_a_cycle",
    ),
    Defect(
        "the second half of a cycle from an output that is detached, so that each translator learns its own half alone",
        "ports of CycleGAN that share one output with D",
        _CYCLEGAN,
        (
            (
                "again_a, again_b = self.F(made_b), self.G(made_a)",
                "again_a, again_b = self.F(made_b.detach()), self.G(made_a.detach())",
            ),
        ),
        f"{TESTS}cyclegan.py::test_each_cycle_teaches_both_translators",
    ),
    Defect(
        "the losses of D are not halved",
        "ports of CycleGAN",
        _CYCLEGAN,
        (("(fake - FAKE).square().mean()) / 2", "(fake - FAKE).square().mean())"),),
        f"{TESTS}cyclegan.py::test_the_losses_are_those_of_the_paper",
    ),
    Defect(
        "a pool that never fills, because nobody counts",
        "xhujoy/CycleGAN-tensorflow#2",
        "training/pool.py",
        (("filled += 1", "pass"),),
        _POOL_TEST,
    ),
    Defect(
        "a pool that keeps the graph of every output",
        f"{_PYTORCH_GAN}#71; straight-dope#293",
        "training/pool.py",
        (("    made = made.detach()\n", ""),),
        _POOL_TEST,
    ),
    Defect(
        "a pool that hands out what it keeps, and overwrites it in the same breath",
        "pools of lists of tensors",
        "training/pool.py",
        (("shown.append(outputs[at].clone())", "shown.append(outputs[at])"),),
        _POOL_TEST,
    ),
    Defect(
        "a pool that no checkpoint has",
        "all of them",
        _CYCLEGAN,
        (
            (
                "self.memory: Memory = {part: empty_pool(cycle.pool, shape, device) for part, shape in of.items()}",
                "self.memory: Memory = {}\n"
                "        self.pools = {part: empty_pool(cycle.pool, shape, device) for part, shape in of.items()}",
            ),
            ("if pool in self.memory:", "if pool in self.pools:"),
            ("pooled(self.memory[pool], made", "pooled(self.pools[pool], made"),
        ),
        f"{TESTS}cyclegan.py::test_a_game_goes_on_bit_for_bit_with_its_pool_and_both_streams",
    ),
    Defect(
        "A and B of one set share pictures, so that pairs are there after all",
        "unaligned loaders of aligned sets",
        "training/domains.py",
        (("order[which::2]", "order[: len(index) // 2]"),),
        f"{TESTS}cyclegan.py::test_a_and_b_of_one_set_are_disjoint_halves",
    ),
    Defect(
        "λ_id where A and B have other channels, and nothing said",
        f"{_JUNYANZ}, an assertion",
        _CYCLEGAN,
        (("if a != b and cycle.identity_weight:", "if False:"),),
        f"{TESTS}cyclegan.py::test_what_cannot_be_played_is_said",
    ),
)

_PYRAMID_DEFECTS = (
    Defect(
        "details held to the range of pixels by tanh",
        "AaronYALai, LAPGAN.py",
        _PYRAMID,
        (("LARGEST_DETAIL = 2.0", "LARGEST_DETAIL = 1.0"),),
        f"{TESTS}lapgan.py::test_details_are_not_held_to_the_range_of_pixels",
    ),
    Defect(
        "details are clamped where a picture is rebuilt",
        "details stored as pixels",
        _PYRAMID,
        (("coarse = enlarged(coarse) + detail", "coarse = enlarged(coarse) + detail.clamp(-1, 1)"),),
        f"{TESTS}lapgan.py::test_a_pyramid_gives_its_picture_back_unless_its_details_are_clamped",
    ),
    Defect(
        "a level is trained on coarse pictures that were generated",
        "AaronYALai, LAPGAN.py",
        _LAPGAN,
        (
            (
                "return real, enlarged(shrunk(real)) if level else None,",
                'drawn = torch.randn(len(real), self.latent.dim, generator=self.streams["z"])\n'
                "        below = _shrunk(self.sample(drawn), DETAILS - level + 1) if level else real\n"
                "        return real, enlarged(below) if level else None,",
            ),
        ),
        f"{TESTS}lapgan.py::test_a_level_sees_real_pictures_and_its_details_on_them_coarse",
    ),
    Defect(
        "D of details is shown details without the picture below them",
        "ports of LAPGAN",
        _LAPGAN,
        (("return made if smooth is None else smooth + made", "return made"),),
        f"{TESTS}lapgan.py::test_a_level_sees_real_pictures_and_its_details_on_them_coarse",
    ),
    Defect(
        "z is given to G, and G has no use for it",
        f"phillipi/pix2pix#152; {_PYTORCH_GAN}#14",
        _LAPGAN,
        (("torch.cat([smooth, z.reshape(", "torch.cat([smooth, 0 * z.reshape("),),
        f"{TESTS}lapgan.py::test_samples_go_all_the_way_up_and_leave_no_trace",
    ),
)
TRANSLATION_DEFECTS: tuple[Defect, ...] = (
    *_NETWORK_DEFECTS,
    *_PAIR_DEFECTS,
    *_LOOK_DEFECTS,
    *_CYCLE_DEFECTS,
    *_PYRAMID_DEFECTS,
)
