"""Small data sets in every layout, with the quirks of the real files."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy.io

from sadinet.skeletons import BODY19, COCO17, LSP14, MPII16, convert

# Somebody who stands, in a picture of 200 x 320; the torso is 100 px.
STANDING = {
    "right_ankle": (60, 300), "right_knee": (55, 240), "right_hip": (70, 170), "left_hip": (130, 170),
    "left_knee": (145, 240), "left_ankle": (140, 300), "right_wrist": (20, 180), "right_elbow": (35, 135),
    "right_shoulder": (70, 90), "left_shoulder": (130, 90), "left_elbow": (165, 135), "left_wrist": (180, 180),
    "neck": (100, 75), "upper_neck": (100, 75), "thorax": (100, 90), "pelvis": (100, 170), "head_top": (100, 25),
    "nose": (100, 50), "left_eye": (112, 38), "right_eye": (88, 38), "left_ear": (130, 50), "right_ear": (70, 50),
}  # fmt: skip
SIZE_WH = (200, 320)


class Sets:
    """Makes pictures and labels of people who stand."""

    size_wh = SIZE_WH

    def standing(self, skeleton, at=(0, 0)):
        """Joints (K, 2) of somebody who stands at a place."""
        return np.array([STANDING[name] for name in skeleton.joints], dtype=float) + at

    def picture(self, path: Path, seed=0, size_wh=SIZE_WH, exif_orientation=None):
        """Write a picture of coloured blocks, in the stored size."""
        path.parent.mkdir(parents=True, exist_ok=True)
        small = np.random.default_rng(seed).integers(0, 256, (8, 5, 3), dtype=np.uint8)
        image = cv2.resize(small, size_wh, interpolation=cv2.INTER_NEAREST)
        _, data = cv2.imencode(path.suffix, image)
        data = data.tobytes()
        if exif_orientation is not None:
            tiff = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01" + bytes([0, exif_orientation, 0, 0]) + b"\0\0\0\0"
            body = b"Exif\0\0" + tiff
            data = data[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + data[2:]
        path.write_bytes(data)

    def leeds(self, root: Path, layout: str, count=3, change=None):
        """LSP (3, 14, N) or LSPet (14, 3, N); `change` gets (N, 14, 3) to spoil."""
        labels = np.zeros((count, 14, 3))
        digits = 4 if layout == "lsp" else 5
        for i in range(count):
            labels[i, :, :2] = self.standing(LSP14, (i, 2 * i))
            labels[i, :, 2] = layout == "lspet"
            self.picture(root / "images" / f"im{i + 1:0{digits}d}.jpg", i)
        if change is not None:
            change(labels)
        order = (2, 1, 0) if layout == "lsp" else (1, 2, 0)
        scipy.io.savemat(root / "joints.mat", {"joints": labels.transpose(order)})
        return root

    def teachers(self, path: Path, index, joints):
        """What both teachers say: joints (N, 19, 2) of body19, the second one a quarter of a pixel beside the first."""
        told = convert(BODY19, COCO17).apply(np.asarray(joints, dtype=float), axis=1)
        sure = np.full(told.shape[:2], 0.9)
        np.savez(path, index=index, tiny=told, tiny_conf=sure, thunder=told + 0.25, thunder_conf=sure)
        return path

    def stanford40(self, root: Path, count=3):
        """Pictures and boxes of people who stand, and `teachers.npz` of them."""
        keys = [f"waving_{i:03d}" for i in range(count)]
        for i, key in enumerate(keys):
            self.picture(root / "JPEGImages" / f"{key}.jpg", i)
            label = root / "XMLAnnotations" / f"{key}.xml"
            label.parent.mkdir(parents=True, exist_ok=True)
            box = "<bndbox><xmin>10</xmin><ymin>20</ymin><xmax>190</xmax><ymax>310</ymax></bndbox>"
            label.write_text(f"<annotation><object>{box}</object></annotation>", encoding="utf-8")
        self.teachers(root / "teachers.npz", keys, [self.standing(BODY19)] * count)
        return root

    def coco_label(self, number, image, joints, **changes):
        """One annotation of COCO."""
        triples = np.concatenate([joints, np.full((17, 1), 2.0)], axis=1)
        (x, y), (width, height) = joints.min(axis=0), np.ptp(joints, axis=0)
        return {
            "id": number, "image_id": image, "category_id": 1, "iscrowd": 0, "area": width * height / 2,
            "num_keypoints": 17, "bbox": [x, y, width, height], "keypoints": triples.ravel().tolist(),
        } | changes  # fmt: skip

    def coco(self, root: Path, labels=None, name="annotations/person_keypoints_val2017.json", folder="val2017"):
        """Pictures 7 and 8; two people in the first, one of them a crowd, unless `labels` are given."""
        for number in (7, 8):
            self.picture(root / folder / f"{number:012d}.jpg", number)
        a = self.standing(COCO17)
        held = {
            "images": [{"id": n, "file_name": f"{n:012d}.jpg", "width": 200, "height": 320} for n in (7, 8, 9)],
            "annotations": [
                self.coco_label(71, 7, a),
                self.coco_label(72, 7, a, iscrowd=1),
                self.coco_label(81, 8, self.standing(COCO17, (3, 5))),
                self.coco_label(91, 9, a),
            ]
            if labels is None
            else labels,
            "categories": [{"id": 1, "name": "person", "keypoints": list(COCO17.joints), "skeleton": []}],
        }
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(json.dumps(held), encoding="utf-8")
        return root

    def mpii(self, root: Path, name="annotations/mpii_human_pose_v1_u12_1.mat"):
        """The official structure: a picture with two people, a test picture, one without rectangles, one not there."""
        for number in (1, 2, 3):
            self.picture(root / "images" / f"{number:09d}.jpg", number)
        points = self.standing(MPII16) + 1  # MATLAB counts from 1
        first, second = _rectangle(points), _rectangle(self.standing(MPII16, (5, 7)), seen="text", drop=("head_top",))
        entries = [
            ("000000001.jpg", _structs([first, second])),
            ("000000002.jpg", _structs([{"scale": 1.5, "objpos": {"x": 100.0, "y": 160.0}}])),
            ("000000003.jpg", np.empty((0, 0))),
            ("gone.jpg", _structs([_rectangle(points)])),
        ]
        annolist = _structs(
            [
                {"image": {"name": name_}, "annorect": rects, "frame_sec": np.empty((0, 0)), "vididx": np.empty((0, 0))}
                for name_, rects in entries
            ]
        )
        single = np.empty((4, 1), dtype=object)
        for i, alone in enumerate(([[2]], [[1]], np.empty((0, 0)), [[1]])):
            single[i, 0] = np.array(alone, dtype=float)
        release = {
            "annolist": annolist,
            "img_train": np.array([[1, 0, 1, 1]]),
            "version": "12",
            "single_person": single,
        }
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        scipy.io.savemat(root / name, {"RELEASE": release})
        return root

    def mpii_row(self, image, at=(0, 0), missing=()):
        """One entry of the common JSON: pixels from 1, a missing joint at (-1, -1)."""
        joints = self.standing(MPII16) + at + 1
        seen = [int(name not in missing) for name in MPII16.joints]
        joints[np.array(seen) == 0] = -1
        return {
            "image": image, "joints": joints.tolist(), "joints_vis": seen,
            "center": [101.0 + at[0], 161.0 + at[1]], "scale": 1.5,
        }  # fmt: skip

    def mpii_json(self, root: Path, name="annot/valid.json", rows=None):
        """Two people in one picture and one in another."""
        for stem in ("a", "b"):
            self.picture(root / "images" / f"{stem}.jpg", ord(stem))
        rows = (
            [self.mpii_row("a.jpg"), self.mpii_row("b.jpg", (2, 3), ("left_wrist",)), self.mpii_row("a.jpg", (5, 5))]
            if rows is None
            else rows
        )
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(json.dumps(rows), encoding="utf-8")
        return root

    def yolo(self, root: Path, exif_orientation=None):
        """One person in a picture of images/train, told by labels/train."""
        stored = SIZE_WH if exif_orientation is None else SIZE_WH[::-1]
        self.picture(root / "images" / "train" / "x.jpg", 3, stored, exif_orientation)
        joints = (self.standing(COCO17) + 0.5) / SIZE_WH
        seen = np.full((17, 1), 2.0)
        seen[3], seen[4] = 1, 0
        numbers = [0, 0.5, 0.5, 0.8, 0.9, *np.concatenate([joints, seen], axis=1).ravel()]
        labels = root / "labels" / "train" / "x.txt"
        labels.parent.mkdir(parents=True, exist_ok=True)
        labels.write_text(" ".join(f"{number:.6f}" for number in numbers) + "\n", encoding="utf-8")
        (root / "data.yaml").write_text("path: .\ntrain: images/train\nkpt_shape: [17, 3]\n", encoding="utf-8")
        return root


def _structs(rows):
    """A 1 x N structure array, as MATLAB saves it; fields that a row lacks are empty."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    array = np.empty((1, len(rows)), dtype=[(name, object) for name in names])
    for i, row in enumerate(rows):
        for name in names:
            array[0, i][name] = row.get(name, np.empty((0, 0)))
    return array


def _rectangle(points, seen="number", drop=()):
    """One annorect; visibility as a number, as text, or nothing at all for the head's two points."""
    rows = []
    for place, (x, y) in enumerate(points):
        name = MPII16.joints[place]
        if name in drop:
            continue
        row = {"x": float(x), "y": float(y), "id": float(place)}
        visible = int(name != "left_knee")
        if name in ("head_top", "upper_neck"):
            row["is_visible"] = np.empty((0, 0))
        else:
            row["is_visible"] = float(visible) if seen == "number" else str(visible)
        rows.append(row)
    return {
        "x1": 80.0, "y1": 20.0, "x2": 110.0, "y2": 60.0,
        "annopoints": {"point": _structs(rows)}, "scale": 1.5, "objpos": {"x": 101.0, "y": 161.0},
    }  # fmt: skip


@pytest.fixture(scope="session")
def sets() -> Sets:
    """The maker of data sets."""
    return Sets()
