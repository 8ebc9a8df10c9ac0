from __future__ import annotations

import inspect
from dataclasses import FrozenInstanceError

import pytest

from app.view_options import ViewOptions
from sadinet.media.draw import draw_poses


def test_a_view_leaves_out_the_same_joints_as_a_drawing_on_a_video():
    assert ViewOptions().threshold == inspect.signature(draw_poses).parameters["threshold"].default


def test_nothing_that_hides_or_covers_the_picture_is_on_at_first():
    options = ViewOptions()

    assert options.skeleton
    assert options.joints
    assert options.ids
    assert not any((options.blur, options.mirror, options.ellipses, options.heatmap_joint))


def test_options_cannot_be_changed_behind_a_panels_back():
    with pytest.raises(FrozenInstanceError):
        ViewOptions().mirror = True
