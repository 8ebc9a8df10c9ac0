"""Calibration finds factors that were put in."""

from __future__ import annotations

import numpy as np
import pytest

from sadinet.errors import InputError
from sadinet.skeletons import LSP14
from sadinet.training.calibration import PRIOR_SAMPLES, fit_calibration
from sadinet.training.metrics import sigma_coverage

N = 4000


def people(seed=0, count=N):
    """Errors that are Gaussian with `true` (K, 2) times the sigma that the model told."""
    rng = np.random.default_rng(seed)
    true = np.exp(rng.normal(0, 0.3, (14, 2)))
    true = np.sqrt(true * true[LSP14.flip_order])  # left and right alike
    labels = rng.uniform(0, 300, (count, 14, 2))
    sigmas = rng.uniform(1, 9, (count, 14, 2))
    return labels + rng.normal(size=labels.shape) * sigmas * true, labels, sigmas, true


def test_factors_that_were_put_in_are_found():
    predicted, labels, sigmas, true = people()
    found = fit_calibration(predicted, labels, sigmas, LSP14)
    np.testing.assert_allclose(found.factors, true, rtol=0.05)
    np.testing.assert_array_equal(found.factors, found.factors[LSP14.flip_order])
    assert found.samples.tolist() == [2 * N] * 12 + [N] * 2
    covered = sigma_coverage(predicted, labels, np.ones((N, 14)), sigmas * found.factors)
    np.testing.assert_allclose(covered[0], 68.27, atol=0.5)


def test_outliers_do_not_carry_the_factors_away():
    predicted, labels, sigmas, true = people(1)
    predicted[:40] += 1e5  # one in a hundred
    found = fit_calibration(predicted, labels, sigmas, LSP14)
    np.testing.assert_allclose(found.factors, true, rtol=0.08)


def test_joints_without_labels_take_the_factor_of_all_and_few_samples_lean_on_it():
    predicted, labels, sigmas, _ = people(2)
    neck, head_top = LSP14.index("neck"), LSP14.index("head_top")
    full = fit_calibration(predicted, labels, sigmas, LSP14)
    labels[:, neck] = np.nan
    labels[int(PRIOR_SAMPLES) :, head_top] = np.nan
    found = fit_calibration(predicted, labels, sigmas, LSP14)
    assert found.samples[neck] == 0
    np.testing.assert_array_equal(found.factors[neck], found.overall)
    assert found.samples[head_top] == PRIOR_SAMPLES
    own = np.quantile((np.abs(predicted - labels) / sigmas)[: int(PRIOR_SAMPLES), head_top], 0.6827, axis=0)
    np.testing.assert_allclose(found.factors[head_top], np.sqrt(own * found.overall))  # half and half
    np.testing.assert_allclose(found.factors[:12], full.factors[:12], rtol=0.01)


def test_without_any_sigma_there_is_nothing_to_fit():
    predicted, labels, sigmas, _ = people(3, 10)
    with pytest.raises(InputError, match="no joint"):
        fit_calibration(predicted, labels, np.full_like(sigmas, np.nan), LSP14)
