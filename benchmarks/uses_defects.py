"""Classic defects of what GANs are used for: augmentation, anomalies, few pictures of one's own, and copies."""

from __future__ import annotations

from benchmarks.defect import TESTS, Defect

_ARMS, _OF_ARMS = "training/arms.py", f"{TESTS}arms.py"
_PAIRED, _OF_PAIRED = "metrics/paired.py", "tests/metrics/test_paired.py"
_AREAS, _OF_AREAS = "metrics/anomaly.py", "tests/metrics/test_anomaly.py"
_STUDY, _DETECTORS, _CASES, _DRAWN = (
    f"engine/studies/{name}.py" for name in ("anomaly", "detectors", "cases", "anomaly_pictures")
)
_OF_STUDY = "tests/engine/test_anomaly_study.py"
_ALONE = f"{_OF_STUDY}::test_a_picture_scores_alone_what_it_scores_beside_others"
_COPYING, _OF_COPYING = "metrics/copying.py", "tests/metrics/test_copying.py"
_CHANGES, _OF_CHANGES = "training/augmenting.py", f"{TESTS}augmenting.py"
_ADVERSARIAL = "training/games/adversarial.py"
_FEW, _OF_FEW = "engine/studies/few.py", "tests/engine/test_few_pictures.py"
_GANOMALY, _PYOD = "samet-akcay/ganomaly", "yzhao062/pyod"

_ARM_DEFECTS = (
    Defect(
        "generated samples beside a whole batch of real ones: more data is more training",
        "generic: a gain that is one of the steps",
        _ARMS,
        (("x = torch.cat([x[: size - count], generated", "x = torch.cat([x, generated"),),
        f"{_OF_ARMS}::test_every_arm_has_the_same_first_weights_and_real_samples",
    ),
    Defect(
        "an arm with noise of its own",
        "generic: batches and distortions from one stream",
        _ARMS,
        (
            (
                'distortion = streams.generator("distortion")',
                'distortion = streams.generator("distortion", arm.title)',
            ),
        ),
        f"{_OF_ARMS}::test_every_arm_has_the_same_first_weights_and_real_samples",
    ),
    Defect(
        "the arm of generated samples draws other batches than that of real ones",
        "TSTR that is not the real accuracy for real samples",
        _ARMS,
        (('steps, streams.generator("batches"))', 'steps, streams.generator("batches", count))'),),
        f"{_OF_ARMS}::test_real_samples_as_generated_ones_give_the_accuracy_of_real_ones",
    ),
    Defect(
        "each number of samples is drawn anew",
        "a learning curve that is not smooth",
        _ARMS,
        (('generator=streams.generator("few", label))', 'generator=streams.generator("few", label, n))'),),
        f"{_OF_ARMS}::test_fewer_samples_are_among_more_and_every_class_has_as_many",
    ),
    Defect(
        "samples are drawn with replacement",
        "`torch.randint` as a sampler",
        _ARMS,
        (
            (
                "torch.randperm(count, generator=generator) for",
                "torch.randint(count, (count,), generator=generator) for",
            ),
        ),
        f"{_OF_ARMS}::test_samples_are_drawn_in_whole_passes",
    ),
    Defect(
        "the classifier is judged in train mode",
        f"{_GANOMALY}#47, #83, #97",
        _ARMS,
        (("return network.eval()", "return network"),),
        f"{_OF_ARMS}::test_a_classifier_is_judged_as_it_is_used",
    ),
    Defect(
        "held-out pictures among those that are learnt from",
        "generic",
        "engine/studies/classified.py",
        (("few_of_each(source.y, source.train_index,", "few_of_each(source.y, torch.arange(len(source.x)),"),),
        "tests/engine/test_studies.py::test_no_held_out_picture_is_among_the_few_that_are_learnt_from",
    ),
    Defect(
        "one seed called with ± 0",
        "tables with a single run",
        _PAIRED,
        (
            (
                "interval = student_interval(arm - beside, level)",
                "interval = student_interval(np.repeat(arm - beside, 2), level)",
            ),
        ),
        f"{_OF_PAIRED}::test_one_seed_has_no_interval_and_none_says_so",
    ),
    Defect(
        "a normal quantile for five seeds",
        "± 1.96 standard errors",
        "metrics/seeds.py",
        (("special.stdtrit(two - 1, (1 + level) / 2)", "special.ndtri((1 + level) / 2)"),),
        f"{_OF_PAIRED}::test_the_interval_of_one_to_five_is_that_of_the_table",
    ),
)

_ANOMALY_DEFECTS = (
    Defect(
        "networks left in train mode when they are asked",
        f"{_GANOMALY}#47, #83, #97, PR #56",
        _DETECTORS,
        (('finished = game.networks["G"].eval()', 'finished = game.networks["G"].train()'),),
        _ALONE,
    ),
    Defect(
        "scores scaled by the least and the greatest of the test set",
        "openvinotoolkit/anomalib#1093, #1255; ganomaly#23",
        _DETECTORS,
        (
            (
                "return Detector(lambda x: squared_residual(shares(x), shares(remade(x))), remade",
                "return Detector(lambda x: (s := squared_residual(shares(x), shares(remade(x)))) / s.max(), remade",
            ),
        ),
        _ALONE,
    ),
    Defect(
        "D(x) as the score, which is large for what is real",
        f"{_PYOD}#119",
        _DETECTORS,
        (("return -torch.cat([game.judge", "return torch.cat([game.judge"),),
        f"{_OF_STUDY}::test_what_d_takes_for_real_is_not_strange",
    ),
    Defect(
        "an encoder for another G than the one that was trained",
        "f-AnoGAN in two scripts",
        _DETECTORS,
        (("regressor.G.load_state_dict(finished.state_dict())", "regressor.G.state_dict()"),),
        f"{_OF_STUDY}::test_the_encoder_of_f_anogan_learns_to_invert_its_g",
    ),
    Defect(
        "anomalies among the pictures that are learnt from",
        "generic",
        _CASES,
        (("_apart(source.train_index[normal[source.train_index]], seed)", "_apart(source.train_index, seed)"),),
        f"{_OF_STUDY}::test_scores_learn_from_no_anomaly_and_from_nothing_asked_about",
    ),
    Defect(
        "damaged pictures in which nothing was damaged",
        f"{_PYOD}#141, PR #727: anomalies without anomalies",
        _CASES,
        (("hit = mask.flatten(1).any(1)", "hit = torch.ones(len(mask), dtype=torch.bool)"),),
        f"{_OF_STUDY}::test_a_picture_that_a_damage_leaves_as_it_was_is_no_anomaly",
    ),
    Defect(
        "the threshold is set on the test set",
        "houssamzenati/Efficient-GAN-Anomaly-Detection#6",
        _STUDY,
        (("limit = anomaly.threshold(normal, rate)", "limit = anomaly.threshold(scores, rate)"),),
        f"{_OF_STUDY}::test_the_threshold_is_of_held_out_normal_pictures_alone",
    ),
    Defect(
        "a threshold at the plain quantile, which is exceeded too often",
        "`np.quantile(scores, 0.95)`",
        _AREAS,
        (
            (
                "place = ceil(round((len(values) + 1) * (1 - rate), 9))",
                "place = ceil(round(len(values) * (1 - rate), 9))",
            ),
        ),
        _OF_AREAS,
    ),
    Defect(
        "ties count as lost in the AUROC",
        "ranks of argsort",
        _AREAS,
        (
            (
                'np.searchsorted(ordered, values, "right") + 1) / 2',
                'np.searchsorted(ordered, values, "left") + 1) / 2',
            ),
        ),
        f"{_OF_AREAS}::test_a_constant_reads_one_half_and_the_share_of_anomalies",
    ),
    Defect(
        "ties in the order of the test set in the average precision",
        "generic: a cumulative sum without a look at equal scores",
        _AREAS,
        (("np.flatnonzero(np.append(np.diff(ordered) != 0, True))", "np.arange(len(ordered))"),),
        _OF_AREAS,
    ),
    Defect(
        "each difference picture on a scale of its own",
        "heat maps by min and max of a picture",
        _DRAWN,
        (
            (
                "values = np.clip(np.asarray(difference, np.float64), 0, 1)",
                "values = np.asarray(difference) / np.max(difference)",
            ),
        ),
        f"{_OF_STUDY}::test_a_changed_pixel_has_the_greatest_heat_on_a_fixed_scale",
    ),
    Defect(
        "the search in z minimises a mean over the batch and stops at the mean",
        "AnoGAN ports with one loss for a batch",
        "engine/latent/inversion.py",
        (("better = now < least", "better = (now.mean() < least.mean()).expand(n)"),),
        f"{_OF_STUDY}::test_the_film_ends_where_the_search_does_and_never_gets_worse",
    ),
)

_PICTURE_DEFECTS = (
    Defect(
        "one draw of the augmentation for a whole batch",
        "ports of DiffAugment",
        _CHANGES,
        (("return torch.rand(len(x), generator", "return torch.rand(1, generator"),),
        f"{_OF_CHANGES}::test_equal_streams_change_equally_and_each_picture_by_itself",
    ),
    Defect(
        "squares cut out to the least value, as if pixels went from 0 to 1",
        "autonomousvision/stylegan-xl#44",
        _CHANGES,
        (
            (
                "return x * ~(rows[:, None, :, None] & columns[:, None, None, :])",
                "return (x + 1) * ~(rows[:, None, :, None] & columns[:, None, None, :]) - 1",
            ),
        ),
        _OF_CHANGES,
    ),
    Defect(
        "the augmentation holds back G's gradient",
        "Zhao et al. 2020, on augmenting for D alone",
        _ADVERSARIAL,
        (
            (
                'x = augmented(x, self.tricks.augment, self.streams["augment"], self._augment_share())',
                'x = augmented(x.detach(), self.tricks.augment, self.streams["augment"], self._augment_share())',
            ),
        ),
        f"{_OF_CHANGES}::test_g_learns_through_the_change",
    ),
    Defect(
        "a lazy penalty that is not multiplied by its interval",
        "labmlai/annotated_deep_learning_paper_implementations#161",
        _ADVERSARIAL,
        (
            (
                'return 0 if LAZY in self.memory and int(self.memory[LAZY]["step"]) else interval',
                'return 0 if LAZY in self.memory and int(self.memory[LAZY]["step"]) else 1',
            ),
        ),
        f"{_OF_CHANGES}::test_a_lazy_penalty_is_on_average_the_same",
    ),
    Defect(
        "the adaptive share goes the wrong way",
        "ports of ADA",
        _CHANGES,
        (("torch.sign(sign - target)", "torch.sign(target - sign)"),),
        f"{_OF_CHANGES}::test_the_adaptive_share_goes_towards_its_target_by_pictures",
    ),
    Defect(
        "samples measured beside pictures that were trained on",
        "generic",
        _FEW,
        (("held = source.heldout_index", "held = source.train_index"),),
        f"{_OF_FEW}::test_pictures_are_nested_and_none_is_held_out",
    ),
    Defect(
        "the arm with augmentation is trained for longer",
        "a gain that is one of the rounds",
        _FEW,
        (
            (
                '"schedule.rounds": settings.rounds,',
                '"schedule.rounds": settings.rounds * (1 + (cell.arm == AUGMENTED)),',
            ),
        ),
        f"{_OF_FEW}::test_the_arms_differ_in_what_d_sees_and_in_nothing_else",
    ),
    Defect(
        "an extractor that takes three channels for granted",
        "Lightning-AI/torchmetrics#2266",
        "metrics/random_features.py",
        (("part.expand(-1, CHANNELS[0], -1, -1)", "part"),),
        "tests/metrics/test_random_features.py::test_pictures_of_any_size_have_features",
    ),
    Defect(
        "no floor beside a Fréchet distance of few pictures",
        "mseitzer/pytorch-fid#78; bioinf-jku/TTUR#5",
        "metrics/distances.py",
        (("return (1 / n + 1 / m) * (d + d * (d + 1) / 4)", "return 0.0"),),
        "tests/metrics/test_random_features.py::test_the_floor_is_what_honest_sets_read",
    ),
)

_COPY_DEFECTS = (
    Defect(
        "the held-out pictures counted as the training ones",
        "ahmedmalaa/evaluating-generative-models#4: real samples by indices of others",
        _COPYING,
        (("hits, chance = float(counts[:n].sum()), n / real", "hits, chance = float(counts[-n:].sum()), n / real"),),
        f"{_OF_COPYING}::test_a_copy_machine_copies_and_swapping_the_sets_turns_it_round",
    ),
    Defect(
        "ties go to the training picture",
        "`argmin` over both sets",
        _COPYING,
        (
            (
                "nearest = distance == distance.min(axis=1, keepdims=True)",
                "nearest = np.arange(real) == distance.argmin(axis=1)[:, None]",
            ),
        ),
        f"{_OF_COPYING}::test_the_same_set_on_both_sides_reads_exactly_one_half",
    ),
    Defect(
        "samples taken as independent, so that a collapse is an alarm",
        "casey-meehan/data-copying",
        _COPYING,
        (("spread = sqrt(n * (real - n) / real * counts.var(ddof=1))", "spread = sqrt(m * chance * (1 - chance))"),),
        f"{_OF_COPYING}::test_a_collapse_is_no_copying",
    ),
    Defect(
        "distances of bytes in single precision, so that ties are none",
        "`cdist` of float32",
        _COPYING,
        (
            (
                "one, other = left.astype(np.float64), right.astype(np.float64)",
                "one, other = left.astype(np.float32) / 255, right.astype(np.float32) / 255",
            ),
        ),
        f"{_OF_COPYING}::test_distances_of_bytes_are_exact_so_that_ties_are",
    ),
    Defect(
        "chance taken as one half whatever the sizes of the sets",
        "ahmedmalaa/evaluating-generative-models#5; sets of one size for granted",
        _COPYING,
        (("hits, chance = float(counts[:n].sum()), n / real", "hits, chance = float(counts[:n].sum()), 0.5"),),
        f"{_OF_COPYING}::test_more_training_pictures_than_held_out_ones_shift_what_chance_is",
    ),
    Defect(
        "a strict < in coverage and density",
        "clovaai/generative-evaluation-prdc#7",
        "metrics/neighbors.py",
        (("in_real_ball = distance <= radius_real[:, None]", "in_real_ball = distance < radius_real[:, None]"),),
        "tests/metrics/test_neighbors.py",
    ),
)

USES_DEFECTS = (*_ARM_DEFECTS, *_ANOMALY_DEFECTS, *_PICTURE_DEFECTS, *_COPY_DEFECTS)
