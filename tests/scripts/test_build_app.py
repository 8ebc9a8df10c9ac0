"""The steps of packaging that need no build: what goes in, what is replaced, what is said of it."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
on_linux = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("cc") is None or shutil.which("objdump") is None,
    reason="needs Linux with a C compiler and binutils",
)


@pytest.fixture(autouse=True)
def _scripts(monkeypatch):
    monkeypatch.syspath_prepend(str(TOP / "scripts"))


def test_what_no_program_needs_is_left_out_with_the_links_to_it():
    from bundle.contents import wanted

    kept = [
        ("cv2/cv2.abi3.so", "/e/cv2.abi3.so", "EXTENSION"),
        ("PyQt6/Qt6/plugins/platforms/libqxcb.so", "/e/libqxcb.so", "BINARY"),
        ("libz.so.1", "/e/libz.so.1", "BINARY"),
        ("libz.so", "libz.so.1", "SYMLINK"),
        ("numpy-2.4.6.dist-info/METADATA", "/e/METADATA", "DATA"),
        ("sadinet/_weights/sadinet-s.onnx", "/e/sadinet-s.onnx", "DATA"),
    ]
    left_out = [
        ("cv2/qt/plugins/platforms/libqxcb.so", "/e/libqxcb.so", "BINARY"),
        ("opencv_python.libs/libQt5Core-9088e21b.so.5.15.19", "/e/libQt5Core.so", "BINARY"),
        ("libQt5Core-9088e21b.so.5.15.19", "opencv_python.libs/libQt5Core-9088e21b.so.5.15.19", "SYMLINK"),
        ("cv2\\opencv_videoio_ffmpeg5100_64.dll", "C:\\e\\x.dll", "BINARY"),
        ("PyQt6/Qt6/plugins/multimedia/libffmpegmediaplugin.so", "/e/x.so", "BINARY"),
        ("PyQt6/Qt6/translations/qt_de.qm", "/e/qt_de.qm", "DATA"),
        ("numpy/_core/include/numpy/ndarrayobject.h", "/e/x.h", "DATA"),
        ("scipy/optimize/tests/data.npz", "/e/data.npz", "DATA"),
        ("libglib-2.0.so.0", "/e/libglib-2.0.so.0", "BINARY"),
        ("sadinet/_weights/sadinet-s.safetensors", "/e/sadinet-s.safetensors", "DATA"),
        ("numpy-2.4.6.dist-info/RECORD", "/e/RECORD", "DATA"),
    ]
    assert wanted([*kept, *left_out]) == kept


def test_half_precision_goes_with_graphics_cards():
    from bundle.contents import is_for_cards

    names = ("sadinet/_weights/sadinet-s.onnx", "sadinet\\_weights\\sadinet-s-fp16.onnx", "other/x-fp16.onnx")
    assert [is_for_cards((name, "/e", "DATA")) for name in names] == [False, True, False]


def test_opencv_takes_pyavs_ffmpeg_where_every_major_version_is_the_same():
    from bundle.contents import own_ffmpeg

    def entry(path: str) -> tuple[str, str, str]:
        return path, "/e", "BINARY"

    opencv = ["libavcodec-c4204469.so.62.28.101", "libswscale-fe215b0b.so.9.5.101", "libaom-a0d22147.so.3.14.1"]
    pyav = ["libavcodec-5e6b81c2.so.62.28.102", "libswscale-88e9f973.so.9.5.102", "libavfilter-b5da520e.so.11.14.102"]
    entries = [entry(f"opencv_python_headless.libs/{name}") for name in opencv]
    both = own_ffmpeg([*entries, *(entry(f"av.libs/{name}") for name in pyav)])
    assert both == {
        f"opencv_python_headless.libs/{opencv[0]}": f"av.libs/{pyav[0]}",
        f"opencv_python_headless.libs/{opencv[1]}": f"av.libs/{pyav[1]}",
    }
    assert own_ffmpeg([*entries, entry(f"av.libs/{pyav[0]}"), entry("av.libs/libswscale-88e9f973.so.10.0.100")]) == {}
    assert own_ffmpeg(entries) == {}


def test_the_environment_has_what_the_project_declares_with_one_opencv_and_no_torch():
    from bundle.environment import requirements

    project = TOP / "pyproject.toml"
    plain = requirements(project, "package")
    assert any(line.startswith("opencv-python-headless>=") for line in plain)
    assert any(line.startswith("onnxruntime>=") for line in plain)
    assert any(line.startswith("pyinstaller") for line in plain)
    assert not any(line.startswith(("opencv-python>", "torch")) for line in plain)
    with_cuda = requirements(project, is_cuda=True)
    assert any(line.startswith("onnxruntime-gpu[cuda,cudnn]>=") for line in with_cuda)
    assert len(with_cuda) == len(requirements(project))


def test_parts_are_those_that_the_program_requires_and_nothing_else_of_the_environment():
    from bundle.environment import parts

    found = parts()
    assert found[0] == "sadinet"
    lowered = {name.lower().replace("_", "-") for name in found}
    assert {"av", "numpy", "onnxruntime", "pyqt6", "pyqt6-qt6", "pyqt6-sip", "rich", "scipy"} <= lowered
    assert not lowered & {"pytest", "torch", "pygments", "protobuf"}


def test_sizes_are_those_of_the_wheels():
    from bundle.cuda import Wheels, sizes_of

    lock = """
    lock-version = "1.0"
    [[packages]]
    name = "large"
    wheels = [{ url = "https://x/large.whl", size = 300000000 }]
    [[packages]]
    name = "small"
    sdist = { url = "https://x/small.tar.gz", size = 999 }
    wheels = [{ url = "https://x/a.whl", size = 1000000 }, { url = "https://x/b.whl", size = 2000000 }]
    """
    sizes = sizes_of(lock)
    assert sizes == {"large": 300_000_000, "small": 2_000_000}
    assert str(Wheels("X", sizes)).startswith("X: 302 MB in 2 wheels (large 300, small 2")


def test_a_library_that_nobody_knows_stops_the_build():
    from bundle.vendored import KEPT_TEXTS, KNOWN, vendored

    found = vendored(["av.libs/libx264-d6533a8d.so.165", "PyQt6/Qt6/lib/libQt6Core.so.6", "cv2/cv2.abi3.so"])
    assert [each.name for each in found] == ["x264", "Third parties within Qt"]
    with pytest.raises(ValueError, match=r"libnew-0\.so: whose library is this"):
        vendored(["av.libs/libnew-0.so"])
    for known in KNOWN:
        for name in known.texts:
            assert (KEPT_TEXTS / f"{name}.txt").stat().st_size > 1000


def test_a_distribution_without_a_licence_stops_the_build(tmp_path, monkeypatch):
    from bundle.environment import BuildError
    from bundle.licences import of_distribution

    numpy = of_distribution("numpy")
    assert numpy.licence.startswith("BSD-3-Clause")
    assert any(path.name == "LICENSE.txt" for path in numpy.texts)
    about = tmp_path / "nameless-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: nameless\nVersion: 1.0\n")
    (about / "RECORD").write_text("nameless-1.0.dist-info/METADATA,,\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(BuildError, match=r"nameless 1\.0 has no licence file"):
        of_distribution("nameless")


def _common_data(items: dict[str, bytes]) -> bytes:
    """ICU's common data, made by hand from the format's description."""
    header = struct.pack("<HBB HHBBBB 4s 4B 4B", 32, 0xDA, 0x27, 20, 0, 0, 0, 2, 0, b"CmnD", 1, 0, 0, 0, 73, 0, 0, 0)
    header = header.ljust(32, b"\0")
    names, offsets, body = b"", [], b""
    first_name = 4 + 8 * len(items)
    first_item = -(-(first_name + sum(len(name) + 1 for name in items)) // 16) * 16
    for name, item in items.items():
        offsets.append((first_name + len(names), first_item + len(body)))
        names += name.encode() + b"\0"
        body += item
    table = struct.pack("<I", len(items)) + b"".join(struct.pack("<II", *pair) for pair in offsets)
    return header + (table + names).ljust(first_item, b"\0") + body


def test_icus_data_are_read_and_written_again():
    from bundle.icu import build, parse

    items = {"icudt73l/coll/root.res": b"c" * 32, "icudt73l/de.res": b"d" * 16, "icudt73l/root.res": b"r" * 48}
    data = _common_data(items)
    assert parse(data) == items
    assert build(data, items) == data
    fewer = {name: item for name, item in items.items() if "de." not in name}
    assert parse(build(data, fewer)) == fewer
    with pytest.raises(ValueError, match="common data"):
        parse(b"\x20\x00\x27\xda" + data[4:])


def _library(path: Path, code: str, *links: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    command = ["cc", "-shared", "-fPIC", "-g", "-nostdlib", "-x", "c", "-", f"-Wl,-soname,{path.name}", "-o", str(path)]
    subprocess.run([*command, "-x", "none", *links], input=code, text=True, check=True)
    return path


def _call(library: Path, name: str) -> int:
    """Call a function in a process of its own, as files that are loaded must not be changed."""
    code = "import ctypes, sys; print(ctypes.CDLL(sys.argv[1])[sys.argv[2]]())"
    return int(subprocess.check_output([sys.executable, "-c", code, str(library), name]))


@on_linux
def test_libraries_that_nobody_needs_are_removed_with_those_that_only_they_need(tmp_path):
    from bundle import slim

    inside = tmp_path / "_internal"
    used = _library(inside / "libused.so.1", "int used(void) { return 1; }")
    deep = _library(inside / "libdeep.so.1", "int deep(void) { return 2; }")
    lonely = _library(inside / "liblonely.so.1", "int deep(void); int lonely(void) { return deep(); }", str(deep))
    python = _library(inside / "libpython3.11.so.1.0", "int python(void) { return 3; }")
    module = _library(inside / "cv2" / "cv2.so", "int used(void); int cv2(void) { return used(); }", str(used))
    assert slim.prune(inside) == ["libdeep.so.1", "liblonely.so.1"]
    assert used.exists()
    assert module.exists()
    assert python.exists()
    assert not lonely.exists()


@on_linux
def test_stripped_libraries_still_load_and_others_stay(tmp_path):
    from bundle import slim

    code = "".join(f"int number{i}(void) {{ return {i}; }}\n" for i in range(400))
    library = _library(tmp_path / "libnumbers.so", code)
    broken = tmp_path / "broken.so"
    broken.write_bytes(b"\x7fELF" + bytes(60))
    before = library.stat().st_size
    slim.strip(tmp_path)
    assert library.stat().st_size < 0.7 * before
    assert slim.is_aligned(library)
    assert _call(library, "number7") == 7
    assert broken.read_bytes() == b"\x7fELF" + bytes(60)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.so", "libnumbers.so"]
    # A segment that lies elsewhere in the file than the loader's pages want it.
    content = bytearray(library.read_bytes())
    table = struct.unpack_from("<Q", content, 32)[0]
    loads = [table + 56 * i for i in range(struct.unpack_from("<H", content, 56)[0]) if content[table + 56 * i] == 1]
    struct.pack_into("<Q", content, loads[-1] + 8, struct.unpack_from("<Q", content, loads[-1] + 8)[0] + 8)
    library.write_bytes(content)
    assert not slim.is_aligned(library)


@on_linux
def test_calls_of_opencvs_blas_are_passed_on_to_scipys(tmp_path):
    from bundle import stand_ins

    tool = stand_ins.compiler()
    scipy = _library(
        tmp_path / "scipy.libs" / "libscipy_openblas-1.so",
        "int scipy_dgesv_(int a, int b, int c, int d, int e, int f, int g, int h) { return 100 * a + h; }",
    )
    large = "char ballast[200000] = {1};\n"
    blas = _library(
        tmp_path / "opencv_python_headless.libs" / "libopenblas-2.so",
        large + "int dgesv_(int a, int b, int c, int d, int e, int f, int g, int h) { return -1; }",
    )
    user = "int dgesv_(int, int, int, int, int, int, int, int); int solve(void) { return dgesv_(7,0,0,0,0,0,0,5); }"
    cv2 = _library(tmp_path / "cv2" / "cv2.so", user, str(blas), "-Wl,-rpath,$ORIGIN/../opencv_python_headless.libs")
    assert stand_ins.forward_blas(tmp_path, tool) > 190_000
    assert _call(cv2, "solve") == 705
    assert sorted(path.name for path in blas.parent.iterdir()) == [blas.name]
    # A function that the other library lacks: everything stays.
    blas = _library(blas, large + "int dposv_(void) { return 1; }")
    cv2 = _library(cv2, "int dposv_(void); int solve(void) { return dposv_(); }", str(blas))
    assert stand_ins.forward_blas(tmp_path, tool) == 0
    assert scipy.exists()
    assert blas.stat().st_size > 190_000


@on_linux
def test_calls_of_numpys_blas_are_passed_on_with_whole_numbers_of_another_length(tmp_path):
    from bundle import stand_ins

    tool = stand_ins.compiler()
    _library(
        tmp_path / "scipy.libs" / "libscipy_openblas-1.so",
        """
        double scipy_cblas_ddot(int n, const double *x, int dx, const double *y, int dy) { return n * x[0] * y[0]; }
        void scipy_dgesv_(int *n, int *k, void *a, int *lda, int *pivots, void *b, int *ldb, int *info) {
            for (int i = 0; i < *n; i++) pivots[i] = i - 1;
            *info = *k;
        }
        """,
    )
    ballast = "char ballast[200000] = {1};\n"
    blas = _library(
        tmp_path / "numpy.libs" / "libscipy_openblas64_-2.so",
        ballast + "double scipy_cblas_ddot64_(void) { return 0; } void scipy_dgesv_64_(void) {}",
    )
    user = "double scipy_cblas_ddot64_(void); void scipy_dgesv_64_(void);"
    user += "void all(void) { scipy_cblas_ddot64_(); scipy_dgesv_64_(); }"
    path = "-Wl,-rpath,$ORIGIN/../../numpy.libs"
    _library(tmp_path / "numpy" / "linalg" / "solve.so", user, str(blas), path)
    assert stand_ins.forward_numpys_blas(tmp_path, tool) > 190_000
    assert [each.name for each in blas.parent.iterdir()] == [blas.name]
    code = """
import ctypes, sys
blas = ctypes.CDLL(sys.argv[1])
wide, double = ctypes.c_int64, ctypes.c_double
dot = blas.scipy_cblas_ddot64_
dot.restype = double
print(dot(wide(3), (double * 1)(2), wide(1), (double * 1)(5), wide(1)))
noise = 0x5A5A5A5A5A5A5A5A
pivots, info = (wide * 5)(*[noise] * 5), wide(noise)
by = ctypes.byref
blas.scipy_dgesv_64_(by(wide(4)), by(wide(-7)), None, by(wide(1)), pivots, None, by(wide(1)), by(info))
print(list(pivots) == [-1, 0, 1, 2, noise], info.value)
"""
    told = subprocess.check_output([sys.executable, "-c", code, str(blas)], text=True)
    assert told.split() == ["30.0", "True", "-7"]


@on_linux
def test_functions_whose_arguments_are_not_known_leave_numpys_blas_alone(tmp_path):
    from bundle import stand_ins

    _library(tmp_path / "scipy.libs" / "libscipy_openblas-1.so", "void scipy_dnew_(void) {}")
    blas = _library(tmp_path / "numpy.libs" / "libscipy_openblas64_-2.so", "void scipy_dnew_64_(void) {}")
    _library(tmp_path / "numpy" / "new.so", "void scipy_dnew_64_(void); void f(void) { scipy_dnew_64_(); }", str(blas))
    before = blas.read_bytes()
    assert stand_ins.forward_numpys_blas(tmp_path, stand_ins.compiler()) == 0
    assert blas.read_bytes() == before


@on_linux
def test_libraries_that_nobody_calls_refuse_with_the_versions_of_their_symbols(tmp_path):
    from bundle import stand_ins

    script = tmp_path / "versions.map"
    script.write_text("LIBAVFILTER_11 { global: *; };\n")
    filters = _library(
        tmp_path / "av.libs" / "libavfilter-1.so.11",
        'const char *avfilter_license(void) { return "x"; } void *avfilter_graph_alloc(void) { return "y"; }',
        f"-Wl,--version-script={script}",
    )
    svt = _library(tmp_path / "av.libs" / "libSvtAv1Enc-2.so.4", "int svt_av1_enc_init(void) { return 0; }")
    data = _library(tmp_path / "av.libs" / "libx265-3.so.2", "int x265_table[4] = {1, 2, 3, 4};")
    user = """
    const char *avfilter_license(void); void *avfilter_graph_alloc(void); int svt_av1_enc_init(void);
    extern int x265_table[4];
    int core(void) {
        return 1000 * (avfilter_graph_alloc() == 0) + 100 * (avfilter_license()[0] == 0)
            + 10 * (svt_av1_enc_init() == (int) 0x80001005) + x265_table[3];
    }
    """
    here = "-Wl,-rpath,$ORIGIN/../av.libs"
    core = _library(tmp_path / "av" / "core.so", user, str(filters), str(svt), str(data), here)
    assert stand_ins.refuse(tmp_path, stand_ins.compiler()) == [f"av.libs/{svt.name}", f"av.libs/{filters.name}"]
    assert sorted(path.name for path in filters.parent.iterdir()) == sorted([filters.name, svt.name, data.name])
    done = subprocess.run(
        [sys.executable, "-c", "import ctypes, sys; print(ctypes.CDLL(sys.argv[1]).core())", str(core)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout.strip(), done.stderr) == ("1114", "")  # the loader misses no version


def test_what_the_program_uses_of_scipy_needs_nothing_that_is_left_out():
    code = """
import runpy, sys
sys.frozen = True
runpy.run_path(sys.argv[1])
import app.__main__, sadinet.motion.clock, sadinet.motion.gaps, sadinet.motion.smoothing, sadinet.people.assignment
import numpy, scipy.optimize, scipy.spatial, scipy.stats
from scipy.spatial import KDTree
from scipy.sparse.linalg import LinearOperator
class Heir(LinearOperator): pass
print(scipy.optimize.linear_sum_assignment(numpy.eye(2))[1], scipy.stats.norm == scipy.spatial.KDTree)
for call in (KDTree, Heir, scipy.stats.norm.pdf):
    try:
        call([1])
    except ImportError as error:
        print(error)
"""
    script = str(TOP / "scripts" / "bundle" / "absent.py")
    done = subprocess.run(
        [sys.executable, "-c", code, script], env=_with_checkout(), capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [
        "[1 0] False",
        "scipy.spatial.KDTree is left out of the packaged program",
        "Heir is left out of the packaged program",
        "scipy.stats.norm.pdf is left out of the packaged program",
    ]


def test_the_same_content_is_kept_once(tmp_path):
    from bundle import slim

    content = bytes(range(256)) * 1000
    for name, data in (("a", content), ("b", content), ("c", content[::-1]), ("small", b"1"), ("small2", b"1")):
        (tmp_path / name).write_bytes(data)
    assert slim.merge(tmp_path) == len(content)
    assert (tmp_path / "a").samefile(tmp_path / "b")
    assert not (tmp_path / "small").samefile(tmp_path / "small2")
    assert (tmp_path / "c").read_bytes() == content[::-1]
    assert slim.size_mb(tmp_path) == pytest.approx((2 * len(content) + 2) / 1e6)


@pytest.mark.parametrize(
    ("version", "numbers"),
    [
        ("0.1.0.dev0", "(0, 1, 0, 0)"),
        ("1.2.3", "(1, 2, 3, 0)"),
        ("2.0rc1", "(2, 0, 0, 0)"),
        ("1.4.post2", "(1, 4, 0, 0)"),
    ],
)
def test_windows_is_told_four_numbers(tmp_path, version, numbers):
    from bundle.windows import write_version

    write_version(tmp_path / "version.txt", version)
    text = (tmp_path / "version.txt").read_text("utf-8")
    assert f"filevers={numbers}" in text
    assert f'"ProductVersion", "{version}"' in text
    compile(text, "version.txt", "eval")


@pytest.mark.skipif(sys.platform != "linux", reason="for Linux")
def test_the_installer_adds_to_menus_and_takes_away_again(tmp_path):
    from bundle import linux
    from bundle.icon_sides import SIDES

    made, folder, home = tmp_path / "made", tmp_path / 'a "b" $c', tmp_path / "home"
    for place in (made, folder, home):
        place.mkdir()
    for side in SIDES:
        (made / f"sadinet-{side}.png").write_bytes(b"picture")
    linux.add_desktop_files(folder, made)
    for name in ("sadinet", "sadinet-app"):
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(home)}
    subprocess.run([folder / "install.sh"], env=environment, check=True)
    entry = (home / ".local/share/applications/sadinet.desktop").read_text("utf-8")
    escaped = str(folder).replace('"', '\\\\"').replace("$", "\\\\$")
    assert f'Exec="{escaped}/sadinet-app"\n' in entry
    assert (home / ".local/bin/sadinet").resolve() == folder / "sadinet"
    assert (home / ".local/share/icons/hicolor/48x48/apps/sadinet.png").exists()
    if shutil.which("desktop-file-validate"):
        subprocess.run(["desktop-file-validate", home / ".local/share/applications/sadinet.desktop"], check=True)
    subprocess.run([folder / "install.sh", "--remove"], env=environment, check=True)
    assert not [path for path in home.rglob("*") if path.is_file() or path.is_symlink()]


def test_the_icon_is_drawn_in_every_size(tmp_path):
    done = subprocess.run(
        [sys.executable, TOP / "scripts" / "bundle" / "icon.py", tmp_path], cwd=TOP, env=_with_checkout(), check=False
    )
    assert done.returncode == 0
    from PyQt6.QtGui import QImage

    for side in (16, 256):
        image = QImage(str(tmp_path / f"sadinet-{side}.png"))
        assert (image.width(), image.height()) == (side, side)
        colours = {image.pixel(x, y) for x in range(side) for y in range(side)}
        assert len(colours) > 20
        assert image.pixelColor(0, 0).alpha() == 0
    assert (tmp_path / "sadinet.ico").read_bytes()[:4] == b"\0\0\1\0"
    assert (tmp_path / "sadinet.icns").read_bytes()[:4] == b"icns"


def _with_checkout() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(TOP)}


@pytest.mark.parametrize("has_xz", [True, False])
def test_an_archive_names_no_user(tmp_path, monkeypatch, has_xz):
    from bundle import linux

    folder = tmp_path / "sadinet"
    folder.mkdir()
    (folder / "sadinet").write_bytes(b"x" * 1000)
    (folder / "link").symlink_to("sadinet")
    (folder / "sadinet-app").hardlink_to(folder / "sadinet")
    if not has_xz:
        monkeypatch.setenv("PATH", "")
    archive = linux.pack(folder, tmp_path, level=0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sadinet", archive.name]
    with tarfile.open(archive) as tar:
        entries = {entry.name: entry for entry in tar}
    assert set(entries) == {"sadinet", "sadinet/sadinet", "sadinet/sadinet-app", "sadinet/link"}
    assert sum(entry.islnk() for entry in entries.values()) == 1
    assert {(entry.uid, entry.uname) for entry in entries.values()} == {(0, "root")}
    assert entries["sadinet/link"].linkname == "sadinet"
