"""Labels made by networks: what the views agree on is kept, and it lies where it was found."""

import json
from importlib import resources

import av
import cv2
import numpy as np
import pytest

from sadinet.geometry import Box
from sadinet.results import Pose
from sadinet.skeletons import COCO17
from sadinet.training.datasets import read_picture
from sadinet.training.sets.labelling import Agreed, agree, coco_labels, views_of
from sadinet.training.sets.recognise import open_labels

BOX = Box(20, 10, 80, 160)


class DotTeacher:
    """Finds a red dot for each left joint's middle, and a blue one for the right ones, anywhere in the picture."""

    def __init__(self):
        self.boxes = []

    def __call__(self, image, boxes):
        self.boxes += boxes
        joints = np.zeros((17, 2), np.float32)
        for k, name in enumerate(COCO17.joints):
            # A mirrored person's left hand is a right one to whoever looks.
            red = image[..., 2].astype(float) if "left" in name else image[..., 0].astype(float)
            rows, columns = np.nonzero(red > 200)
            joints[k] = columns.mean(), rows.mean()
        ones = np.ones(17, np.float32)
        return tuple(Pose(joints, ones, np.full_like(joints, np.nan), box, COCO17) for box in boxes)


def test_views_of_the_mirrored_picture_come_back_into_the_frame():
    image = np.zeros((200, 141, 3), np.uint8)
    image[50, 30, 2] = 255
    image[60, 90, 0] = 255
    teacher = DotTeacher()
    joints, scores = views_of([teacher], image, [BOX])
    assert joints.shape == (4, 1, 17, 2)
    assert scores.shape == (4, 1, 17)
    left, right = COCO17.index("left_wrist"), COCO17.index("right_wrist")
    # The dots do not change their colours in the mirror, so left and right come back exchanged; their places do not.
    np.testing.assert_allclose(joints[0, 0, left], [30, 50])
    np.testing.assert_allclose(joints[1, 0, right], [30, 50])
    np.testing.assert_allclose(joints[2, 0, right], [90, 60])
    plain, turned = teacher.boxes[:2]
    # Half a pixel left of the first pixel's centre is the picture's edge, on both sides.
    assert plain.x + 0.5 == 141 - (turned.x + 0.5 + turned.width)


def agreed(apart_px, score):
    rng = np.random.default_rng(1)
    middle = rng.uniform([30, 20], [90, 160], (17, 2))
    for part, y in (("shoulder", 40), ("hip", 100)):
        for side, x in (("left", 70), ("right", 50)):
            middle[COCO17.index(f"{side}_{part}")] = x, y
    joints = np.repeat(middle[None], 4, axis=0)
    wrist = COCO17.index("left_wrist")
    joints[3, wrist, 0] += apart_px
    scores = np.full((4, 17), 0.8)
    scores[:, wrist] = score
    return agree(joints, scores, BOX), wrist, middle


@pytest.mark.parametrize(
    ("apart_px", "score", "kept"), [(0, 0.8, True), (7, 0.8, True), (7.5, 0.8, False), (0, 0.4, False)]
)
def test_a_joint_is_kept_where_the_views_agree_within_a_share_of_the_torso_and_are_sure(apart_px, score, kept):
    found, wrist, middle = agreed(apart_px, score)  # a torso of 60 px: 0.12 of it is 7.2
    assert bool(found.known[wrist]) is kept
    assert found.known.sum() == 16 + kept
    np.testing.assert_allclose(np.delete(found.joints, wrist, 0), np.delete(middle, wrist, 0))


def test_a_view_without_a_joint_does_not_agree():
    joints = np.zeros((2, 17, 2))
    joints[1, 3] = np.nan
    assert not agree(joints, np.ones((2, 17)), BOX).known[3]


def test_the_file_is_read_back_with_the_kept_joints_only(tmp_path):
    from sadinet.training.sets.recognise import open_labels

    found, wrist, _ = agreed(20, 0.8)
    picture = tmp_path / "person.png"
    cv2.imwrite(str(picture), np.zeros((200, 141, 3), np.uint8))
    file = tmp_path / "labels.json"
    file.write_text(json.dumps(coco_labels({picture: ((141, 200), [found])})))
    (person,) = open_labels(tmp_path, file).people
    assert person.path == picture
    assert (person.box.x, person.box.width) == (BOX.x, BOX.width)
    assert not person.weight[wrist]
    known = person.weight > 0
    np.testing.assert_allclose(person.joints[known], found.joints[found.known], atol=0.006)


@pytest.fixture(scope="module")
def walkers(tmp_path_factory):
    """Three frames of the shipped clip, and a file that is no picture."""
    folder = tmp_path_factory.mktemp("walkers")
    clip = next(entry for entry in resources.files("sadinet").joinpath("_demo").iterdir() if "mp4" in entry.name)
    with av.open(str(clip)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number in (20, 50, 80):
                cv2.imwrite(str(folder / f"{number}.png"), frame.to_ndarray(format="bgr24"))
    (folder / "damaged.jpg").write_bytes(b"nothing")
    return folder


def test_labels_and_sheet_belong_to_the_stored_pixels_that_training_reads(tmp_path, monkeypatch, sets):
    """A phone's picture that its EXIF orientation turns: dots found at the stored places, and shown there."""
    from pathlib import Path

    monkeypatch.syspath_prepend(str(Path(__file__).parents[3] / "scripts"))
    import label_pictures

    sets.picture(tmp_path / "phone.jpg", 1, exif_orientation=6)
    seen = []

    def labeller(image):
        seen.append(image)
        joints = sets.standing(COCO17)
        return [Agreed(Box(10, 20, 180, 290), joints, np.ones(17, bool))]

    found = label_pictures.label(labeller, [tmp_path / "phone.jpg"])
    file = tmp_path / "labels.json"
    file.write_text(json.dumps(coco_labels(found)))
    assert json.loads(file.read_text())["images"][0]["width"] == sets.size_wh[0]
    trained = read_picture(open_labels(tmp_path, file).people[0].path)
    np.testing.assert_array_equal(seen[0], trained)
    drawn = []
    monkeypatch.setattr(label_pictures, "tile", lambda image, person: drawn.append(image) or image)
    label_pictures.write_sheet(tmp_path / "sheet.png", found)
    np.testing.assert_array_equal(drawn[0], trained)


def test_the_script_labels_people_by_the_shipped_networks(walkers, tmp_path, monkeypatch, capsys):
    from pathlib import Path

    monkeypatch.syspath_prepend(str(Path(__file__).parents[3] / "scripts"))
    import label_pictures

    out, sheet = tmp_path / "labels.json", tmp_path / "sheet.png"
    arguments = [str(walkers), "-o", str(out), "--threads", "1", "--sheet", str(sheet), "--most-people", "1"]
    assert label_pictures.main([*arguments, "--least-joints", "5"]) == 0
    told = capsys.readouterr()
    assert "damaged.jpg" in told.err
    labels = json.loads(out.read_text())
    assert 1 <= len(labels["annotations"]) <= 3
    for label in labels["annotations"]:
        x, y, width, height = label["bbox"]
        known = np.array(label["keypoints"]).reshape(17, 3)
        places = known[known[:, 2] > 0, :2]
        assert len(places) >= 5
        assert (places >= [x - 0.2 * width, y - 0.2 * height]).all()
        assert (places <= [x + 1.2 * width, y + 1.2 * height]).all()
    assert cv2.imread(str(sheet)) is not None
    # Nobody is sure enough for this, and no file is written.
    strict = tmp_path / "strict.json"
    assert label_pictures.main([str(walkers), "-o", str(strict), "--least-score", "1", "--threads", "1"]) == 1
    assert "nobody to label" in capsys.readouterr().err
    assert not strict.exists()
