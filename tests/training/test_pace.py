"""How long a training waited for its crops."""

import time

import torch

from sadinet.training.pace import Waited

STEP_S = 0.05


def test_only_the_time_in_which_crops_are_made_counts():
    batch = (torch.zeros(1), torch.zeros(1), torch.zeros(1))

    def made():
        for _ in range(3):
            time.sleep(STEP_S)
            yield batch

    started, waited = time.monotonic(), Waited(made())
    for seen in waited:
        assert seen is batch
        time.sleep(2 * STEP_S)
    whole = time.monotonic() - started
    assert 3 * STEP_S <= waited.seconds <= whole - 6 * STEP_S
