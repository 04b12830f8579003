"""Leaves out the tests that ask for what networks of some width compute, when all networks are narrow.

Their numbers, shapes and words are not those of a machine on which turns take no time. A line that matches no test is
an error: the list is not longer than it must be.
"""

from __future__ import annotations

import pytest

PREFIXES = (
    "tests/config/test_courses.py::test_the_layers_are_those_that_are_printed",
    "tests/engine/test_film.py::test_points_are_where_they_were",
    "tests/engine/test_footprint.py::test_a_run_that_does_not_fit_is_refused_with_both_numbers",
    "tests/engine/test_footprint.py::test_extremes_are_answered_at_once_and_take_nothing",
    "tests/engine/test_footprint.py::test_the_estimate_is_no_less_than_the_state_and_its_files",
    "tests/engine/test_full_disk.py::test_on_a_small_disk_a_run_waits_for_room_and_goes_on_by_itself",
    "tests/models/test_networks.py::test_a_residual_block_adds_to_its_shortcut",
    "tests/models/test_summary.py::test_a_conditional_resnet_in_words",
    "tests/models/test_summary.py::test_a_dcgan_by_hand",
    "tests/models/test_summary.py::test_an_mlp_by_hand",
    "tests/models/test_translation_networks.py::test_the_weights_of_super_resolution_are_counted_as_by_hand",
    "tests/models/test_translation_networks.py::test_weights_are_counted_as_by_hand",
    "tests/test_cli.py::test_a_fork_goes_on_as_another_run_and_says_what_begins_anew",
    "tests/test_golden_runs.py::test_a_golden_checkpoint_restores_and_plays_on",
    "tests/test_golden_runs.py::test_a_golden_run_played_anew_is_the_same_run",
    "tests/test_golden_runs.py::test_a_state_has_the_names_and_shapes_that_it_had",
    "tests/test_golden_runs.py::test_every_tensor_of_a_preset_is_what_it_was",
    "tests/training/test_aae.py::test_each_player_moves_its_own_networks_alone",
    "tests/training/test_aae.py::test_off_the_autoencoder_goes_on_alone_and_on_again_all_move",
    "tests/training/test_autoencoder_game.py::test_the_course_stays_at_the_mean_image_and_then_leaves_it",
    "tests/training/test_autoencoder_game.py::test_the_network_of_the_course_has_its_parameters",
    "tests/training/test_fork.py::test_packing_gives_d_a_new_first_layer_and_nothing_else",
    "tests/training/test_gaussian_course.py::test_the_networks_are_those_of_the_course",
    "tests/training/test_glo.py::test_each_picture_is_told_from_the_others_by_its_own_code",
    "tests/training/test_regressor.py::test_a_generator_that_does_not_fit_whole_is_refused",
    "tests/training/test_resolve_and_build.py::test_counted_parameters_of_a_small_mlp_by_hand",
    "tests/training/test_state.py::test_a_state_of_another_config_is_refused",
    "tests/training/test_vae.py::test_too_large_a_beta_collapses_digits_and_one_brings_the_code_back",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what begins as a line of the list does."""
    stale = [prefix for prefix in PREFIXES if not any(item.nodeid.startswith(prefix) for item in items)]
    if stale and not config.option.file_or_dir:
        raise pytest.UsageError(f"{__file__} leaves out what is not there: {', '.join(stale)}")
    left_out = [item for item in items if item.nodeid.startswith(PREFIXES)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in set(left_out)]
