from __future__ import annotations

from sadinet.media.waiting import PacketsOnTheWay


def lost(events):
    """Feed packets ("in", time) and frames ("out", time); returns what each frame was told, and what is left."""
    way, told = PacketsOnTheWay(), []
    for kind, stamp in events:
        if kind == "in":
            way.add(stamp)
        else:
            told.append(way.take(stamp))
    return told, len(way)


def passed(stamps, delay=2):
    """Events of a decoder that holds back `delay` packets and shows frames in order; a negative time is lost."""
    events, waiting = [], []
    for stamp in stamps:
        events.append(("in", abs(stamp)))
        if stamp >= 0:
            waiting.append(stamp)
        if len(waiting) > delay:
            waiting.sort()
            events.append(("out", waiting.pop(0)))
    return events + [("out", stamp) for stamp in sorted(waiting)]


def test_reordered_packets_lose_nothing():
    assert lost(passed([0, 3, 1, 2, 6, 4, 5])) == ([0] * 7, 0)


def test_lost_packets_are_told_with_the_next_frame():
    told, left = lost(passed([0, 3, -1, 2, 6, -4, -5, 9]))
    assert (sum(told), left, max(told)) == (3, 0, 2)


def test_packets_lost_at_the_end_are_left():
    assert lost([*passed([0, 1, 2]), ("in", 3), ("in", 4)]) == ([0, 0, 0], 2)


def test_times_that_begin_anew_lose_nothing():
    events = passed([10, 13, 11, 12, 16, 14, 15]) + passed([0, 3, 1, 2]) + passed([0, 3, 1, 2])
    assert lost(events) == ([0] * 15, 0)


def test_a_loss_right_where_times_begin_anew_is_told():
    told, left = lost([("in", 8), ("out", 8), ("in", 9), ("in", 0), ("in", 1), ("out", 0), ("out", 1)])
    assert (told, left) == ([0, 1, 0], 0)


def test_a_frame_that_comes_late_is_no_longer_lost():
    told, left = lost([("in", 0), ("in", 1), ("in", 2), ("out", 0), ("out", 2), ("out", 1)])
    assert (told, left) == ([0, 1, -1], 0)
