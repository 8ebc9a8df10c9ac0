"""`sadinet run` on what people really have: good files, bad files, and folders that cannot be written."""

from __future__ import annotations

import json
import re
import shutil
import sys

import av
import cv2
import numpy as np
import pytest

from sadinet.media.pictures import read_picture
from sadinet.tables.read import NOBODY, read_table
from sadinet.tables.sidecar import read_sidecar
from sadinet.weights import file_entry, find_weights


def write_sound(path):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 44100), np.float32), format="fltp", layout="mono")
        sound.rate = 44100
        container.mux(stream.encode(sound))
        container.mux(stream.encode(None))


def write_dots(path):
    """A video of three frames of one pixel."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width = stream.height = 1
        stream.pix_fmt = "bgr0"
        for shade in range(3):
            picture = np.full((1, 1, 3), shade, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))


BAD = {
    "missing.mp4": "no such file",
    "empty.mp4": "is empty",
    "text.mp4": "not a video",
    "sound.mp4": "sound but no video",
    "torn.png": "not a picture",
    "none": "neither videos nor pictures",
    "http://example.org/a.mp4": "is an address",
}
GOOD = {"one.png": 0, "eight.jpg": 0, "dots.mkv": 0, "grey.png": 1, "deep.png": 1, "alpha.png": 1, "wall.png": 0}
STRANGE = 'we\'ird "näme" [名] 100%.png'


@pytest.fixture(scope="module")
def archive(clip, walker, tmp_path_factory):
    """A folder with one file of each kind."""
    folder = tmp_path_factory.mktemp("archive")
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "text.mp4").write_text("This is no video.\n" * 50, encoding="utf-8")
    write_sound(folder / "sound.mp4")
    (folder / "none").mkdir()
    data = clip.read_bytes()
    (folder / "cut.mp4").write_bytes(data[: len(data) * 3 // 10])
    write_dots(folder / "dots.mkv")
    opaque = np.full(walker.shape[:2], 255, np.uint8)
    pictures = {
        "one.png": np.full((1, 1, 3), 7, np.uint8),
        "eight.jpg": np.full((4320, 7680, 3), 99, np.uint8),
        "grey.png": cv2.cvtColor(walker, cv2.COLOR_BGR2GRAY),
        "deep.png": walker.astype(np.uint16) * 257,
        "alpha.png": np.dstack([walker, opaque]),
        "wall.png": np.full((90, 120, 3), 200, np.uint8),
        STRANGE: walker,
    }
    for name, picture in pictures.items():
        (folder / name).write_bytes(cv2.imencode(folder.joinpath(name).suffix, picture)[1].tobytes())
    whole = (folder / "grey.png").read_bytes()
    (folder / "torn.png").write_bytes(whole[: len(whole) // 2])
    return folder


@pytest.fixture(scope="module")
def all_at_once(archive, tmp_path_factory):
    """One run over everything, good and bad mixed: exit code, lines printed, lines complained, folder."""
    from contextlib import redirect_stderr, redirect_stdout
    from io import StringIO

    from sadinet.cli.main import main

    out = tmp_path_factory.mktemp("out") / "made" / "by the run"
    names = [*BAD, "cut.mp4", *GOOD, STRANGE]
    inputs = [name if "://" in name else str(archive / name) for name in names]
    printed, complained = StringIO(), StringIO()
    with redirect_stdout(printed), redirect_stderr(complained):
        code = main(["run", *inputs, "-o", str(out), "--overlay"])
    return code, printed.getvalue().splitlines(), complained.getvalue().splitlines(), out


@pytest.mark.parametrize("name", BAD)
def test_a_bad_input_is_one_line(all_at_once, name):
    code, _, complained, _ = all_at_once
    lines = [line for line in complained if "inputs failed" not in line]
    about = [line for line in lines if re.search(f"[ /]{re.escape(name)}[: ]", line)]
    assert code == 1
    assert len(about) == 1
    assert about[0].startswith("sadinet: ")
    assert BAD[name] in about[0]


def test_what_will_fail_is_told_before_the_work(all_at_once):
    _, printed, _, _ = all_at_once
    first = next(place for place, line in enumerate(printed) if " -> " in line)
    told = [line.removeprefix("will fail: ") for line in printed[:first] if line.startswith("will fail: ")]
    assert len(told) == len(BAD)
    assert all(any(name in line and words in line for line in told) for name, words in BAD.items())


def test_nothing_else_is_complained_about(all_at_once):
    _, _, complained, _ = all_at_once
    assert not any("Traceback" in line or "unexpected" in line for line in complained)
    assert len(complained) == len(BAD) + 1 + 2  # the cut file, and two lines that sum up


def test_the_summary_names_what_failed_and_what_is_in_part(all_at_once):
    _, _, complained, _ = all_at_once
    failed, in_part = complained[-2:]
    assert failed.startswith(f"sadinet: {len(BAD)} of {len(BAD) + len(GOOD) + 2} inputs failed: ")
    assert all(name in failed for name in BAD)
    assert in_part.endswith("cut.mp4")


@pytest.mark.parametrize("name", GOOD)
def test_the_others_are_done(all_at_once, name):
    *_, out = all_at_once
    stem, suffix = name.split(".")
    table = read_table(out / f"{stem}.csv")
    frames = 3 if suffix == "mkv" else 1
    assert table["frame"].tolist() == list(range(frames))
    assert (table["track_id"] != NOBODY).sum() == GOOD[name]
    assert read_sidecar(out / f"{stem}.json").frames == frames
    assert (out / (f"{stem}.mp4" if suffix == "mkv" else f"{stem}-overlay.png")).stat().st_size > 0


def test_a_name_with_quotes_and_letters_of_any_script(all_at_once, archive):
    _, printed, _, out = all_at_once
    stem = STRANGE.removesuffix(".png")
    assert (read_table(out / f"{stem}.csv")["track_id"] != NOBODY).all()
    assert read_sidecar(out / f"{stem}.json").source.path == str(archive / STRANGE)
    assert any(STRANGE in line for line in printed)


def test_kinds_of_pixels_make_no_difference_to_who_is_seen(all_at_once):
    *_, out = all_at_once
    deep, alpha = read_table(out / "deep.csv"), read_table(out / "alpha.csv")
    for column in ("box_x", "box_w", "neck_x", "neck_y"):
        assert deep[column] == pytest.approx(alpha[column], abs=0.5)


def test_a_cut_file_keeps_its_frames_and_says_so(all_at_once, archive):
    _, _, complained, out = all_at_once
    (line,) = [line for line in complained if "cut.mp4" in line and "inputs" not in line]
    assert "cut off after" in line
    sidecar = read_sidecar(out / "cut.json")
    assert 5 < sidecar.frames < 106
    assert "cut off after" in sidecar.problems[-1]
    assert read_table(out / "cut.csv")["frame"].tolist() == list(range(sidecar.frames))
    with av.open(str(out / "cut.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == sidecar.frames


def test_no_partial_files_are_left(all_at_once):
    *_, out = all_at_once
    assert not [path.name for path in out.iterdir() if "part" in path.suffix]


def test_something_lost_alone_is_3(sadinet, archive, tmp_path):
    code, printed, complained = sadinet("run", archive / "cut.mp4", "-o", tmp_path, "--quiet")
    assert (code, printed, len(complained)) == (3, [], 1)


def test_a_folder_of_pictures(sadinet, walker, tmp_path):
    shots = tmp_path / "shots"
    shots.mkdir()
    for name in ("b.png", "a.jpg"):
        cv2.imwrite(str(shots / name), walker)
    (shots / "notes.txt").write_text("not a picture", encoding="utf-8")
    code, printed, complained = sadinet("run", shots, "-o", tmp_path / "out", "--overlay", "--skeleton", "coco17")
    assert (code, complained) == (0, [])
    table = read_table(tmp_path / "out" / "shots.csv")
    assert table["source"].tolist() == [str(shots / "a.jpg"), str(shots / "b.png")]
    assert "left_ear_x" in table
    assert "head_top_x" not in table
    drawn = sorted(path.name for path in (tmp_path / "out" / "shots-overlay").iterdir())
    assert drawn == ["a.jpg", "b.png"]
    assert "2 frames" in printed[-1]


@pytest.mark.skipif(sys.platform == "win32", reason="rights to files are another thing there")
def test_a_picture_that_may_not_be_read_is_skipped_until_it_may(start, walker, tmp_path):
    shots = tmp_path / "shots"
    shots.mkdir()
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(shots / name), walker)
    (shots / "b.png").chmod(0)
    line = ("run", shots, "-o", tmp_path / "out")
    printed, complained = start(*line, without_root=True).communicate(timeout=120)
    assert "b.png cannot be read: Permission denied" in printed + complained
    assert "Traceback" not in complained
    assert read_table(tmp_path / "out" / "shots.csv")["source"].tolist() == [str(shots / "a.png")]
    (shots / "b.png").chmod(0o644)
    _, complained = start(*line).communicate(timeout=120)
    assert "b.png" not in complained
    assert len(read_table(tmp_path / "out" / "shots.csv")["source"]) == 2


def test_inputs_of_one_name_do_not_overwrite_each_other(sadinet, archive, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    shutil.copy(archive / "wall.png", tmp_path / "a" / "x.png")
    shutil.copy(archive / "one.png", tmp_path / "b" / "x.png")
    inputs = [tmp_path / "a" / "x.png", tmp_path / "b" / "x.png", tmp_path / "a" / "x.png"]
    code, printed, complained = sadinet("run", *inputs, "-o", tmp_path / "out")
    assert (code, complained) == (0, [])
    assert read_sidecar(tmp_path / "out" / "x.json").source.path == str(inputs[0])
    assert read_sidecar(tmp_path / "out" / "x-2.json").source.path == str(inputs[1])
    made = [f"{stem}{suffix}" for stem in ("x-2", "x") for suffix in (".csv", ".html", ".json")]
    report = ["sadinet-report.html", "sadinet-report.json"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [".sadinet", *report, *made]
    assert "given twice" in printed[1]
    assert "x-2.csv" in printed[-2]
    assert "taken" in printed[-2]
    assert printed[-1].startswith("2 inputs: 2 done")


def test_results_beside_the_input_leave_it_alone(sadinet, short_clip, tmp_path):
    video = tmp_path / "short.mp4"
    shutil.copy(short_clip, video)
    code, _, _ = sadinet("run", video, "-o", tmp_path, "--overlay")
    assert code == 0
    assert video.read_bytes() == short_clip.read_bytes()
    assert (tmp_path / "short-overlay.mp4").is_file()


def test_an_unrelated_file_in_the_way_is_not_overwritten(sadinet, archive, tmp_path):
    (tmp_path / "wall.json").write_text('{"camera": 3}', encoding="utf-8")
    code, _, complained = sadinet("run", archive / "wall.png", archive / "one.png", "-o", tmp_path)
    assert code == 1
    assert "wall.json" in complained[0]
    assert (tmp_path / "wall.json").read_text(encoding="utf-8") == '{"camera": 3}'
    assert (tmp_path / "one.csv").is_file()


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/nowhere"])
def test_an_output_folder_that_cannot_be_is_one_line(sadinet, archive, tmp_path, place):
    if place.startswith("/proc") and sys.platform != "linux":
        pytest.skip("no such file system")
    (tmp_path / "file").write_bytes(b"in the way")
    code, printed, complained = sadinet("run", archive / "wall.png", "-o", tmp_path / place)
    assert (code, printed, len(complained)) == (1, [], 1)
    assert "cannot write" in complained[0]
    assert (tmp_path / "file").read_bytes() == b"in the way"


def test_an_output_that_cannot_be_made_costs_its_input_alone(sadinet, archive, tmp_path):
    (tmp_path / "wall.csv").mkdir()
    (tmp_path / "wall.csv" / "x").write_bytes(b"x")
    code, _, complained = sadinet("run", archive / "wall.png", archive / "one.png", "-o", tmp_path)
    assert code == 1
    assert "wall" in complained[0]
    assert (tmp_path / "one.csv").is_file()


@pytest.mark.parametrize("engine", ["onnx", "torch"])
def test_a_device_that_is_not_there_is_one_line(sadinet, archive, tmp_path, engine):
    if engine == "torch":
        torch = pytest.importorskip("torch")
        is_there = torch.cuda.is_available()
    else:
        import onnxruntime

        is_there = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    if is_there:
        pytest.skip("the device is there")
    code, _, complained = sadinet("run", archive / "wall.png", "-o", tmp_path, "--device", "cuda", "--engine", engine)
    assert (code, len(complained)) == (1, 1)
    assert "cuda" in complained[0].lower()
    assert not list(tmp_path.iterdir())


def test_settings_reach_the_sidecar(sadinet, archive, tmp_path):
    given = ["--decode", "shift", "--flip-test", "--detector-score", "0.6", "--threads", "1", "--engine", "onnx"]
    code, _, _ = sadinet("run", archive / "wall.png", "-o", tmp_path, "--device", "cpu", "--skeleton", "lsp14", *given)
    assert code == 0
    settings = read_sidecar(tmp_path / "wall.json").settings
    assert settings["decode"]["method"] == "shift"
    assert settings["flip_test"] is True
    assert (settings["detector_score"], settings["skeleton"]) == (0.6, "lsp14")
    # How many share the work changes no byte.
    assert not {"threads", "lanes"} & settings.keys()
    assert (settings["engine"], settings["device"]) == ("onnx", "cpu")


@pytest.fixture
def model(tmp_path):
    """A copy of the shipped pose model that may be spoilt: its manifest's path, and a way to change it."""
    weights = find_weights("default")
    folder = tmp_path / "model"
    folder.mkdir()
    for name in [weights.path.name, *(entry.name for entry in weights.manifest.files.values())]:
        shutil.copy(weights.path.parent / name, folder / name)
    return folder / weights.path.name


def change(manifest, **changes) -> None:
    values = json.loads(manifest.read_text(encoding="utf-8"))
    for path, value in changes.items():
        *parents, last = path.split("__")
        part = values
        for parent in parents:
            part = part[parent]
        part[last] = value
    manifest.write_text(json.dumps(values), encoding="utf-8")


def refused(sadinet, archive, tmp_path, manifest, *more) -> str:
    """Run with a spoilt model; return the one line that must come of it."""
    code, _, complained = sadinet("run", archive / "wall.png", "-o", tmp_path / "out", "--weights", manifest, *more)
    assert (code, len(complained)) == (1, 1)
    assert not list((tmp_path / "out").iterdir())
    return complained[0]


def test_a_spoilt_model_would_work_unspoilt(sadinet, archive, tmp_path, model):
    assert sadinet("run", archive / "wall.png", "-o", tmp_path / "out", "--weights", model)[0] == 0


def test_truncated_weights_are_refused(sadinet, archive, tmp_path, model):
    onnx = model.with_suffix(".onnx")
    onnx.write_bytes(onnx.read_bytes()[:-1000])
    assert "bytes" in refused(sadinet, archive, tmp_path, model, "--engine", "onnx")


def test_changed_weights_are_refused(sadinet, archive, tmp_path, model):
    onnx = model.with_suffix(".onnx")
    data = bytearray(onnx.read_bytes())
    data[len(data) // 2] ^= 1
    onnx.write_bytes(data)
    assert "SHA-256" in refused(sadinet, archive, tmp_path, model, "--engine", "onnx")


def test_weights_that_are_none_are_refused_though_their_hash_is_right(sadinet, archive, tmp_path, model):
    onnx = model.with_suffix(".onnx")
    onnx.write_bytes(b"no network at all")
    entry = file_entry(onnx)
    change(model, files__onnx={"name": entry.name, "sha256": entry.sha256, "bytes": entry.bytes})
    assert "cannot load" in refused(sadinet, archive, tmp_path, model, "--engine", "onnx")


@pytest.mark.parametrize(
    "lie",
    [
        {"skeleton": "coco17"},
        {"heatmap__stride": 8},
        {"input__size_wh": [128, 64]},
        {"input__layout": "nchw"},
        {"outputs__heatmaps": "nothing"},
        {"heatmap__sigma": -1},
        {"surprise": 1},
    ],
    ids=str,
)
def test_a_manifest_that_lies_is_refused(sadinet, archive, tmp_path, model, lie):
    change(model, **lie)
    refused(sadinet, archive, tmp_path, model, "--engine", "onnx")


def test_weights_of_another_preset_are_refused(sadinet, archive, tmp_path, model):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    from sadinet.network.model import Deployed, SadiNet
    from sadinet.network.presets import preset

    with torch.random.fork_rng():
        state = Deployed(SadiNet(preset("m"))).state_dict()
    path = model.with_suffix(".safetensors")
    save_file({name: value.contiguous() for name, value in state.items()}, path)
    entry = file_entry(path)
    change(model, files__safetensors={"name": entry.name, "sha256": entry.sha256, "bytes": entry.bytes})
    line = refused(sadinet, archive, tmp_path, model, "--engine", "torch", "--device", "cpu")
    assert "different networks" in line


@pytest.mark.parametrize("weights", ["no-such-model", "person-yolo11n", "missing.json"])
def test_a_model_that_is_none_is_refused(sadinet, archive, tmp_path, weights):
    assert weights.split(".")[0] in refused(sadinet, archive, tmp_path, weights)


def test_an_unforeseen_fault_costs_its_input_alone(sadinet, archive, tmp_path, monkeypatch):
    from sadinet.batch import finish

    draw = finish.draw_poses

    def fail_once(image, poses):
        if image.shape[0] == 90:
            raise ZeroDivisionError("what nobody thought of")
        return draw(image, poses)

    monkeypatch.setattr(finish, "draw_poses", fail_once)
    code, _, complained = sadinet("run", archive / "wall.png", archive / "one.png", "-o", tmp_path, "--overlay")
    assert code == 1
    assert "unexpected ZeroDivisionError: what nobody thought of" in complained[0]
    assert read_picture(tmp_path / "one-overlay.png").shape == (1, 1, 3)


def test_looking_alone_writes_nothing(sadinet, archive, clip, tmp_path):
    code, printed, complained = sadinet("run", clip, archive / "text.mp4", "-o", tmp_path / "out", "--check")
    assert (code, len(complained)) == (1, 1)
    assert "text.mp4 is not a video" in complained[0]
    assert "106 frames, about" in printed[-1]
    assert list((tmp_path / "out").iterdir()) == []
    assert sadinet("run", clip, "-o", tmp_path / "out", "--check")[0] == 0


def test_json_lines_tell_a_program_everything(sadinet, archive, short_clip, tmp_path):
    inputs = [short_clip, archive / "text.mp4"]
    code, printed, complained = sadinet("run", *inputs, "-o", tmp_path, "--json-lines", "--overlay")
    assert code == 1
    told = [json.loads(line) for line in printed]
    plan = next(each for each in told if each["event"] == "plan")
    assert (plan["inputs"], plan["unreadable"], plan["frames"]) == (2, 1, 7)
    assert ["text.mp4 is not a video" in line for line in plan["failures"]] == [True]
    ends = {each["name"]: each for each in told if each["event"] == "end"}
    assert set(ends) == {str(each) for each in inputs}
    assert ends[str(short_clip)]["state"] == "done"
    assert ends[str(short_clip)]["frames"] == 7
    assert ends[str(short_clip)]["files"] == ["short.csv", "short.json", "short.mp4", "short.html"]
    assert ends[str(archive / "text.mp4")]["state"] == "failed"
    assert "not a video" in ends[str(archive / "text.mp4")]["reason"]
    assert {"event": "report", "states": {"done": 1, "failed": 1}} in told
    assert [each["text"] for each in told if each["event"] == "complaint"] == [
        line.removeprefix("sadinet: ") for line in complained
    ]


def test_the_same_line_again_keeps_everything_and_says_so(sadinet, short_clip, tmp_path):
    assert sadinet("run", short_clip, "-o", tmp_path)[0] == 0
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("short*")}
    code, printed, complained = sadinet("run", short_clip, "-o", tmp_path)
    assert (code, complained) == (0, [])
    assert printed[-1].endswith("(kept from an earlier run)")
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("short*")} == before
    report = json.loads((tmp_path / "sadinet-report.json").read_text(encoding="utf-8"))
    assert [each["state"] for each in report["inputs"]] == ["kept"]


def test_the_report_is_of_the_last_run_in_both_forms(sadinet, archive, tmp_path):
    sadinet("run", archive / "wall.png", archive / "one.png", "-o", tmp_path, "--quiet")
    sadinet("run", archive / "grey.png", "-o", tmp_path, "--quiet")
    for name in ("sadinet-report.json", "sadinet-report.html"):
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert ("grey.png" in text, "wall.png" in text) == (True, False)


def test_a_ledger_that_was_set_aside_is_told(sadinet, short_clip, tmp_path):
    sadinet("run", short_clip, "-o", tmp_path)
    (tmp_path / ".sadinet" / "ledger.sqlite").write_bytes(b"garbage" * 1000)
    code, _, complained = sadinet("run", short_clip, "-o", tmp_path, "--quiet")
    assert code == 0
    (line,) = complained
    assert "set aside as" in line


def test_a_ledger_of_a_later_version_is_one_line(sadinet, short_clip, tmp_path):
    import sqlite3

    (tmp_path / ".sadinet").mkdir()
    connection = sqlite3.connect(tmp_path / ".sadinet" / "ledger.sqlite")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    code, _, complained = sadinet("run", short_clip, "-o", tmp_path, "--quiet")
    assert (code, len(complained)) == (1, 1)
    assert "later version" in complained[0]


def test_a_disk_without_space_is_one_line_before_anything_is_done(sadinet, short_clip, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1000, 999, 1))
    code, _, complained = sadinet("run", short_clip, "-o", tmp_path, "--quiet")
    assert (code, len(complained)) == (1, 1)
    assert "left" in complained[0]
    assert list(tmp_path.iterdir()) == []


def test_scale_and_formats_reach_the_files(sadinet, short_clip, tmp_path):
    given = ["--format", "trc, csv", "--metres-per-pixel", "0.002", "--no-page", "--angles", "--detect-every", "1"]
    code, printed, _ = sadinet("run", short_clip, "-o", tmp_path, *given)
    assert code == 0
    assert sorted(path.name for path in tmp_path.glob("short*")) == ["short.csv", "short.json", "short_person1.trc"]
    settings = read_sidecar(tmp_path / "short.json").settings
    assert settings["metres_per_pixel"] == 0.002
    assert settings["following"]["interval"] == 1
    assert any(name.startswith("angle_") for name in read_table(tmp_path / "short.csv"))
    # The file's rate varies, and trc cannot say so.
    assert any("trc holds one rate" in line for line in printed)
