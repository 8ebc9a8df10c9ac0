from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from sadinet.skeletons import COCO17, LSP14

coco = pytest.importorskip("pycocotools.coco")
from pycocotools.cocoeval import COCOeval  # noqa: E402


def truth_of(recording):
    """Return a COCO data set that says of every person what the recording says."""
    dataset = {
        "info": {},
        "images": [{"id": int(index), "width": 1920, "height": 1080} for index in recording.index],
        "categories": [{"id": 1, "name": "person", "keypoints": list(COCO17.joints)}],
        "annotations": [],
    }
    for row, frame in enumerate(recording.row_frame):
        places = np.nan_to_num(recording.joints[row])
        seen = np.where(np.isfinite(recording.scores[row]), 2, 0)
        dataset["annotations"].append(
            {
                "id": row + 1,
                "image_id": int(recording.index[frame]),
                "category_id": 1,
                "keypoints": np.column_stack([places, seen]).ravel().tolist(),
                "num_keypoints": int((seen > 0).sum()),
                "bbox": recording.boxes[row, :4].tolist(),
                "area": 90_000.0,
                "iscrowd": 0,
            }
        )
    truth = coco.COCO()
    truth.dataset = dataset
    truth.createIndex()
    return truth


def test_pycocotools_finds_everybody_where_the_recording_has_them(tables, tmp_path, capsys):
    whole = replace(tables.recording(COCO17), extra={})
    target = tables.target(tmp_path, "coco")
    tables.write("coco", target, [whole.part(0, 4), whole.part(4, 12)], tables.info(COCO17, extra=()))
    truth = truth_of(whole)
    results = truth.loadRes(str(target))
    assert len(results.anns) == whole.rows
    judge = COCOeval(truth, results, "keypoints")
    judge.evaluate()
    judge.accumulate()
    judge.summarize()
    assert judge.stats[0] == pytest.approx(1.0)


def test_an_entry(tables, tmp_path):
    whole = replace(tables.recording(LSP14), extra={})
    target = tables.target(tmp_path, "coco")
    tables.write("coco", target, [whole], tables.info(LSP14, extra=()))
    entries = json.loads(target.read_text(encoding="utf-8"))
    assert [entry["image_id"] for entry in entries] == whole.index[whole.row_frame].tolist()
    assert [entry["track_id"] for entry in entries] == whole.track_ids.tolist()
    points = np.reshape(entries[4]["keypoints"], (17, 3))
    assert not points[:5].any()  # LSP's joints have no face
    assert not points[COCO17.index("right_knee")].any()  # unknown throughout
    wrist = LSP14.index("left_wrist")
    np.testing.assert_allclose(points[COCO17.index("left_wrist"), :2], whole.joints[4, wrist], atol=5.1e-3)
    assert points[COCO17.index("left_wrist"), 2] == pytest.approx(whole.scores[4, wrist], abs=5.1e-4)
    assert entries[4]["score"] == pytest.approx(whole.row_scores[4], abs=5.1e-4)
    np.testing.assert_allclose(entries[4]["bbox"], whole.boxes[4, :4], atol=5.1e-3)
    assert {entry["category_id"] for entry in entries} == {1}


def test_nobody_is_an_empty_list(tables, tmp_path):
    tables.write("coco", tmp_path / "a_coco.json", [tables.recording().part(7, 8)])
    assert json.loads((tmp_path / "a_coco.json").read_text()) == []


@pytest.mark.parametrize(
    ("names", "ids", "told"),
    [
        (("000000000139.jpg", "val/000000000285.jpg"), [139, 285], False),
        (("b.jpg", "c12.jpg"), [0, 1], False),
        (("1.jpg", "c12.jpg"), [1, 1], True),
    ],
)
def test_pictures_named_by_number_keep_it(tables, tmp_path, names, ids, told):
    whole = replace(tables.recording(frames=2), sources=names)
    table = tables.write("coco", tmp_path / "a_coco.json", [whole], tables.info(is_pictures=True))
    entries = json.loads((tmp_path / "a_coco.json").read_text())
    assert [entry["image_id"] for entry in entries] == ids
    assert bool(table.notes) == told
