"""Classic defects of games with a code."""

from __future__ import annotations

from benchmarks.defect import GAMES, TESTS, Defect

_PYTORCH_GAN = "eriklindernoren/PyTorch-GAN, infogan.py"
_NATSU = "Natsu6767/InfoGAN-PyTorch, train.py"
_INFOGAN, _BIGAN, _AAE, _VAE = (f"{GAMES}/{name}.py" for name in ("infogan", "bigan", "aae", "vae"))
_MIG = "tests/metrics/test_disentanglement.py"
CODE_DEFECTS: tuple[Defect, ...] = (
    Defect(
        "softmax inside Q and the cross-entropy on top",
        _PYTORCH_GAN,
        _INFOGAN,
        (("- cross_entropy(logits, category)", "- cross_entropy(logits.softmax(1), category)"),),
        f"{TESTS}infogan.py::test_a_perfect_q_reads_log_k_and_one_that_knows_nothing_reads_0",
    ),
    Defect(
        "the information of G's turn from codes of another draw",
        _PYTORCH_GAN,
        _INFOGAN,
        (
            (
                'weighted, told = self._information(features, z)\n        terms = {"adv": LOSS.g_loss',
                'weighted, told = self._information(features, self._drawn() - 1)\n        terms = {"adv": LOSS.g_loss',
            ),
        ),
        f"{TESTS}infogan.py::test_q_is_asked_in_both_turns_for_the_code_that_g_was_given",
    ),
    Defect(
        "BatchNorm2d(width, 0.8), which is eps and no momentum",
        "eriklindernoren/PyTorch-GAN, all of it",
        "models/blocks.py",
        (("nn.BatchNorm2d(width)", "nn.BatchNorm2d(width, 0.8)"),),
        "tests/models/test_networks.py::test_what_is_normalised_has_variance_1",
    ),
    Defect(
        "BatchNorm1d(width, 0.8)",
        "eriklindernoren/PyTorch-GAN, all of it",
        "models/blocks.py",
        (("nn.BatchNorm1d(width)", "nn.BatchNorm1d(width, 0.8)"),),
        "tests/models/test_networks.py::test_what_is_normalised_has_variance_1",
    ),
    Defect(
        "a second optimiser over Q and D, for the information",
        _PYTORCH_GAN,
        _INFOGAN,
        (('"G": made.networks["G"]}\n', '"G": nn.ModuleDict(dict(made.networks))}\n'),),
        f"{TESTS}infogan.py::test_d_moves_with_q_and_g_alone_each_by_one_optimiser",
    ),
    Defect(
        "a continuous code compared with that of another sample",
        _NATSU,
        _INFOGAN,
        (("continuous_bound(mean, log_variance, code)\n", "continuous_bound(mean, log_variance, code.roll(1, 0))\n"),),
        f"{TESTS}infogan.py::test_a_turn_of_each_player_is_the_objective_by_hand",
    ),
    Defect(
        "a code of another shape, which broadcasts in silence",
        _NATSU,
        _INFOGAN,
        (("if mean.shape != code.shape or log_variance.shape != code.shape:", "if False:"),),
        f"{TESTS}infogan.py::test_a_continuous_code_is_compared_with_that_of_its_own_sample",
    ),
    Defect(
        "the trunk of D never hears the information",
        _NATSU,
        _INFOGAN,
        (
            (
                'self._information(features, z)\n        terms = {"adv": LOSS.d_loss',
                'self._information(features.detach(), z)\n        terms = {"adv": LOSS.d_loss',
            ),
        ),
        f"{TESTS}infogan.py::test_the_information_moves_the_trunk_of_d_and_g",
    ),
    Defect(
        "Q moves with G alone",
        _NATSU,
        _INFOGAN,
        (
            (
                '("D", (D, Q), self._discriminate), ("G", (G,), self._generate)',
                '("D", (D,), self._discriminate), ("G", (G, Q), self._generate)',
            ),
            (
                '"D": nn.ModuleDict({"D": made.networks["D"], "Q": made.networks["Q"]}), "G": made.networks["G"]',
                '"D": made.networks["D"], "G": nn.ModuleDict({"G": made.networks["G"], "Q": made.networks["Q"]})',
            ),
        ),
        f"{TESTS}infogan.py::test_d_moves_with_q_and_g_alone_each_by_one_optimiser",
    ),
    Defect(
        "E is told a thousandth of what D says",
        "eriklindernoren/PyTorch-GAN, aae.py",
        _AAE,
        (('{"fool": softplus(', '{"fool": 0.001 * softplus('),),
        f"{TESTS}aae.py::test_a_turn_of_each_adversary_is_the_objective_by_hand",
    ),
    Defect(
        "D is trained to be fooled, in E's turn",
        "pythae, Adversarial_AE.forward, where its joint loss is used",
        _AAE,
        (
            ('"D": D, "E": E}', '"D": D, "E": nn.ModuleDict({"E": E, "D": D})}'),
            ("            (network,),\n", "            (network, self.D),\n"),
        ),
        f"{TESTS}aae.py::test_each_player_moves_its_own_networks_alone",
    ),
    Defect(
        "the KL as a mean over dimensions",
        "podgorskiy/VAE#1; pytorch/examples#234, #290, #294",
        _VAE,
        (("if free_bits else kl.sum()", "if free_bits else kl.mean()"),),
        f"{TESTS}vae.py::test_a_turn_is_the_elbo_by_hand",
    ),
    Defect(
        "the KL divided by the pixels",
        "pytorch/examples#290; LynnHo via orybkin/sigma-vae-tensorflow#2",
        _VAE,
        (("kl_of(mean, log_variance).mean(0)\n", "kl_of(mean, log_variance).mean(0) / x[0].numel()\n"),),
        f"{TESTS}vae.py::test_a_turn_is_the_elbo_by_hand",
    ),
    Defect(
        "the reconstruction as a mean over pixels",
        "WorldModels port #12",
        _VAE,
        (("bernoulli(output, x).flatten(1).sum(1)", "bernoulli(output, x).flatten(1).mean(1)"),),
        f"{TESTS}vae.py::test_a_bernoulli_likelihood_is_that_of_torch_on_shares_of_white",
    ),
    Defect(
        "β is stored and never used",
        "Lightning-Universe/lightning-bolts#328",
        _VAE,
        (("self.beta * paid(", "paid("),),
        f"{TESTS}vae.py::test_without_beta_the_kl_is_not_in_the_gradient",
    ),
    Defect(
        "reshape in place of a transpose, in the MIG",
        "YannDubs/disentangling-vae#78, #64, #52",
        "metrics/disentanglement.py",
        (
            (
                "(mutual_information(column, factor) for column in binned.T)",
                "(mutual_information(column, factor) for column in binned.reshape(binned.shape[::-1]))",
            ),
        ),
        _MIG,
    ),
    Defect(
        "information in bits, or in whatever a library's version returns",
        "google-research/disentanglement_lib#33",
        "metrics/disentanglement.py",
        (("np.log(table[there] / apart[there])", "np.log2(table[there] / apart[there])"),),
        _MIG,
    ),
    Defect(
        "all dimensions count as active",
        "google-research/disentanglement_lib, factor_vae.py",
        "metrics/disentanglement.py",
        (("return variance > ACTIVE_SHARE * variance.max()", "return variance >= 0"),),
        _MIG,
    ),
    Defect(
        "as many numbers of a code as factors are taken for granted",
        "google-research/disentanglement_lib#12",
        "metrics/disentanglement.py",
        (("    used = active(values)\n", "    used = active(values)\n    assert values.shape[1] == known.shape[1]\n"),),
        _MIG,
    ),
    Defect(
        "forests that see a random choice of the code at each split",
        "the default of scikit-learn's classifier",
        "metrics/disentanglement.py",
        (("max_features=None", 'max_features="sqrt"'),),
        _MIG,
    ),
    Defect(
        "E gets no gradient of the pairs",
        "Keras-GAN#243, #214",
        _BIGAN,
        (
            (
                '"encoder": softplus(self.D(x, self._beside(code)))',
                '"encoder": softplus(self.D(x, self._beside(code.detach())))',
            ),
        ),
        f"{TESTS}bigan.py::test_each_half_pulls_its_own_network_the_right_way",
    ),
    Defect(
        "E is never moved",
        "Keras-GAN#243",
        _BIGAN,
        (('for role in ("G", "E")})}', 'for role in ("G",)})}'),),
        f"{TESTS}bigan.py::test_g_and_e_move_together_and_d_alone",
    ),
    Defect(
        "E's half with the labels the wrong way round",
        "Efficient-GAN-Anomaly-Detection#8",
        _BIGAN,
        (('"encoder": softplus(self.D(', '"encoder": softplus(-self.D('),),
        f"{TESTS}bigan.py::test_each_half_pulls_its_own_network_the_right_way",
    ),
    Defect(
        "E(x) of the turn of D, kept for that of G and E",
        "mperezcarrasco/PyTorch-BiGAN#1",
        _BIGAN,
        (
            (
                "code, x_fake = self._beside(self._code(x)[0]), self.G(z)",
                "self.kept = self._code(x)[0]\n            code, x_fake = self._beside(self.kept), self.G(z)",
            ),
            (
                "        code, log_variance = self._code(x)\n        z =",
                "        code, log_variance = self.kept, self._code(x)[1]\n        z =",
            ),
        ),
        f"{TESTS}bigan.py",
    ),
    Defect(
        "the loss of D reaches E: nobody is frozen, E(x) is not detached, gradients stay",
        "many",
        "training/loop.py",
        (("parameter.requires_grad_(False)", "pass"), ("parameter.grad = None", "pass")),
        f"{TESTS}loop.py",
    ),
    Defect(
        "a prior from −1 to 1 for an encoder without bounds",
        "many BiGANs of MLPs",
        _BIGAN,
        (("return Latent(config.model.code_dim)", 'return Latent(config.model.code_dim, "uniform")'),),
        f"{TESTS}bigan.py",
    ),
    Defect(
        "the code beside x is that of another sample",
        "batches that are shuffled between two calls",
        _BIGAN,
        (('code if self.matching.pairs == "right" else code.roll(1, 0)', "code.roll(1, 0)"),),
        f"{TESTS}bigan.py::test_the_best_value_is_the_share_of_right_pairs_times_minus_log_4",
    ),
    Defect(
        "batch normalisation before Q, and nothing said",
        "the habit of DCGAN",
        _INFOGAN,
        (
            (
                '        if network.normalization == "batch":\n            yield Problem(\n                f"model.',
                '        if False:\n            yield Problem(\n                f"model.',
            ),
        ),
        f"{TESTS}infogan.py::test_batch_norm_before_q_is_warned_of",
    ),
    Defect(
        "batch normalisation in the D of pairs, and nothing said",
        "the habit of DCGAN",
        _BIGAN,
        (('    if config.model.discriminator.normalization == "batch":', "    if False:"),),
        f"{TESTS}bigan.py::test_what_goes_together_is_said",
    ),
    Defect(
        "spherical interpolation divides by the sine of 0",
        "everywhere",
        "engine/exchange/interpolation.py",
        (("/ sine.clamp_min(NARROW)", "/ sine"), ("if (sine <= NARROW).any():", "if False:")),
        "tests/engine/test_latent_vectors.py",
    ),
    Defect(
        "spherical interpolation by the angle of vectors that are not normalised",
        "everywhere",
        "engine/exchange/interpolation.py",
        (
            (
                "torch.nn.functional.cosine_similarity(start, end, dim=-1)[..., None]",
                "(start * end).sum(-1, keepdim=True)",
            ),
        ),
        "tests/engine/test_latent_vectors.py",
    ),
    Defect(
        "the nearest held-out picture where the nearest training picture is meant",
        "memorisation that is never found",
        "engine/latent/looks.py",
        (("for others, _ in (space.training, space.heldout):", "for others, _ in (space.heldout, space.heldout):"),),
        "tests/engine/test_latent_space.py::test_a_copy_of_a_training_picture_is_nearest_to_itself",
    ),
    Defect(
        "the first held-out samples of a set that is sorted by class",
        "the prototypes of this project",
        "engine/observers/held.py",
        (("index[torch.randperm(len(index), generator=generator)[:n]]", "index[:n]"),),
        "tests/engine/test_looking_at_encoders.py::test_a_few_held_out_digits_are_of_every_class",
    ),
)
