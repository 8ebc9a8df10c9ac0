from __future__ import annotations

import json

from sadinet.media.defects import Defects, add_up


def test_stretches_add_up_and_sizes_that_go_on_are_told_once():
    parts = [
        Defects(2, 0, 1, ((0, (4, 3)),)),
        Defects(0, 1, 0, ((10, (4, 3)), (15, (8, 6)))),
        Defects(1, 0, 0, ((20, (8, 6)),), ("the file is cut off",)),
    ]
    whole = add_up(parts)
    assert whole == Defects(3, 1, 1, ((0, (4, 3)), (15, (8, 6))), ("the file is cut off",))
    assert whole == parts[0] + (parts[1] + parts[2])
    assert add_up([]) == Defects()
    assert add_up([Defects(), parts[0]]) == parts[0]


def test_a_change_right_where_two_stretches_meet_is_told():
    assert add_up([Defects(sizes=((0, (4, 3)),)), Defects(sizes=((10, (8, 6)),))]).lines == (
        "the picture's size becomes 8x6 at frame 10",
    )


def test_lines_are_for_people_and_silent_where_nothing_is_wrong():
    assert Defects(sizes=((0, (4, 3)),)).lines == ()
    assert Defects(1, 2, 1, (), ("an end",)).lines == (
        "1 frame could not be decoded and was left out",
        "2 frames were damaged and decoded in part",
        "1 frame had no time of presentation or one that does not rise",
        "an end",
    )


def test_json_gives_them_back():
    defects = Defects(1, 2, 3, ((0, (4, 3)), (15, (8, 6))), ("an end",))
    assert Defects.from_dict(json.loads(json.dumps(defects.to_dict()))) == defects
