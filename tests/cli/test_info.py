"""`sadinet info`: presets and models."""

from __future__ import annotations

import importlib.util

import pytest

from sadinet.weights import find_weights


def test_a_preset_by_name(sadinet):
    pytest.importorskip("torch")
    from sadinet.network.measure import measure
    from sadinet.network.presets import preset

    code, printed, complained = sadinet("info", "s")
    config = preset("s")
    measures = measure(config)
    assert (code, complained, len(printed)) == (0, [], 2)
    assert f"{measures.parameters / 1e6:.2f} M" in printed[1]
    assert f"{measures.macs / 1e9:.2f} G" in printed[1]
    assert f"{measures.receptive_px} px" in printed[1]
    assert "{}x{}".format(*config.size_wh) in printed[1]
    assert "{}x{}".format(*config.heatmap_wh) in printed[1]
    assert "body19 (19)" in printed[1]


@pytest.mark.parametrize("kind", ["pose", "detector"])
def test_without_torch_it_tells_what_manifests_say(sadinet, monkeypatch, kind):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else find(name))
    weights = find_weights("default", kind)
    code, printed, complained = sadinet("info")
    assert (code, complained) == (0, [])
    assert "torch" in printed[0]
    text = "\n".join(printed)
    assert f"{weights.name}: {kind} model" in text
    for entry in weights.manifest.files.values():
        assert f"{entry.name}, " in text
        assert entry.sha256 in text
    assert weights.manifest.licence in text
    assert "MACs" not in text


def test_a_preset_without_torch_is_told_what_it_needs(sadinet, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else find(name))
    code, _, complained = sadinet("info", "s")
    assert (code, len(complained)) == (1, 1)
    assert "torch" in complained[0]


def test_it_tells_how_heatmaps_are_read(sadinet):
    pose = find_weights("default").pose
    _, printed, _ = sadinet("info", "sadinet-s")
    (line,) = (each for each in printed if each.strip().startswith("decode"))
    assert f"smoothed by {pose.decode.sigma(pose.heatmap.sigma):g} cells" in line


def test_an_unknown_name_is_one_line(sadinet):
    code, printed, complained = sadinet("info", "no-such-thing")
    assert (code, printed, len(complained)) == (1, [], 1)


def test_a_broken_manifest_hides_nothing(sadinet, monkeypatch, tmp_path):
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    default = find_weights("default", "detector")
    monkeypatch.setenv("SADINET_WEIGHTS", str(tmp_path))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    code, printed, complained = sadinet("info")
    assert code == 1
    assert "broken.json" in complained[0]
    assert any(line.startswith(default.name) for line in printed)
