"""`sadinet-app`: puts the program together and runs it."""

from __future__ import annotations

import argparse
import contextlib
import logging
import multiprocessing
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.screen import why_no_window

if TYPE_CHECKING:
    from PyQt6.QtWidgets import QApplication

    from app.main_window import MainWindow
    from app.settings import AppSettings

_STOP_S = 2.5  # how long closing may take

_log = logging.getLogger("app")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program.

    Args:
        argv: options; None for those of the command line, and then the process ends with the program.

    Returns:
        The exit code.
    """
    began_s = time.perf_counter()
    # First of all: a packaged program starts itself for its helpers.
    multiprocessing.freeze_support()
    # ONNX Runtime's own builds would otherwise send events to their maker: nothing leaves this computer.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    options = _parser().parse_args(argv)
    if fault := why_no_window():
        sys.stderr.write(f"sadinet-app: {fault}\n")
        return 1
    _load_torch_first(options.engine, options.device, options.settings or _settings_path())
    # Held here until the process ends: taken apart while threads of runtimes still run, Qt now and then crashes.
    app = _application()
    code, late = _run(app, options, began_s)
    if late:
        _log.warning("not ended in time: %s", ", ".join(late))
    if argv is None:
        # Everything is saved and closed. What threads of drivers, runtimes and Qt are left would now and then crash
        # the interpreter on its way out.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sadinet-app", description="Human poses in live pictures and files.")
    parser.add_argument(
        "--source", metavar="X", help="demo, camera, camera:NAME, a number, an address, a video or a folder of pictures"
    )
    parser.add_argument("--weights", metavar="Y", help="pose model, by name or manifest")
    parser.add_argument("--engine", choices=("auto", "onnx", "torch"), help="what runs it (as remembered)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), help="on what (as remembered)")
    parser.add_argument("--settings", type=Path, metavar="FILE", help="where settings are kept")
    parser.add_argument("--theme", choices=("dark", "light"), help="colours (as remembered)")
    parser.add_argument("--self-test", action="store_true", help="try everything on the demo clip, print figures, quit")
    parser.add_argument("--seconds", type=float, default=10.0, metavar="S", help="how long the self-test plays (10)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the self-test's figures here")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave here what the self-test records and exports")
    return parser


def _load_torch_first(engine: str | None, device: str | None, settings: Path) -> None:
    """Load torch before Qt where it will be needed: on Windows it does not load any more afterwards."""
    engine = engine or _remembered(settings, "engine") or "auto"
    if engine == "auto" and os.name == "nt":
        from sadinet.engines import may_take_torch

        engine = "torch" if may_take_torch(device or _remembered(settings, "device") or "auto") else "onnx"
    if engine == "torch":
        # Where it is missing or broken, loading the models will tell so in the window.
        with contextlib.suppress(ImportError, OSError):
            import sadinet.engines.torch  # noqa: F401


def _remembered(settings: Path, name: str) -> str | None:
    """Return a word of the settings without Qt, which reads them later; None if there is none."""
    try:
        text = settings.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    found = re.search(rf"^{name}=\W*(\w+)\W*$", text, re.MULTILINE)
    return found[1] if found else None


def _forget_opencvs_plugins() -> None:
    """Let Qt look for its own plug-ins and fonts: OpenCV brings those of another Qt, and says so to all when loaded."""
    for name in ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR"):
        if "cv2" in Path(os.environ.get(name, "")).parts:
            del os.environ[name]


def _application() -> QApplication:
    from PyQt6.QtCore import QCoreApplication
    from PyQt6.QtWidgets import QApplication

    _forget_opencvs_plugins()
    QCoreApplication.setApplicationName("SADI-NET")
    QCoreApplication.setOrganizationName("sadinet")
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)  # noqa: S101  nobody made another kind
    return app


def _run(app: QApplication, options: argparse.Namespace, began_s: float) -> tuple[int, tuple[str, ...]]:
    from app.faults import catch_the_rest, kept_log

    path = options.settings or _settings_path()
    with contextlib.ExitStack() as stack:
        scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="sadinet-app-", ignore_cleanup_errors=True))
        places = _Places.of_test(Path(scratch)) if options.self_test else _Places.of_user(options.settings)
        stack.enter_context(kept_log(places.log))
        window, may_save = _window(options, path, places)
        catch_the_rest(window.controller)
        window.show()
        app.processEvents()
        visible_s, visible_cpu_s = time.perf_counter() - began_s, time.process_time()
        late: list[str] = []
        window.on_close = lambda: late.extend(_end(window))
        if options.self_test:
            from app.self_test import SelfTest

            visible = (visible_s, visible_cpu_s)
            folder = places.data if options.keep is None else options.keep
            test = SelfTest(window, visible, began_s, options.seconds, folder, options.json)
            test.start()
            app.exec()
            code = test.code
        else:
            code = app.exec()
        window.close()
    if may_save and not options.self_test:
        _save(path, window.settings)
    return code, tuple(late)


@dataclass(frozen=True, slots=True)
class _Places:
    """Where the program keeps what is its own, what it can make again, and what went wrong."""

    data: Path
    cache: Path
    log: Path

    @classmethod
    def of_user(cls, settings: Path | None) -> _Places:
        """Return the system's places; what is the program's own lies beside settings that were named."""
        import platformdirs

        data = platformdirs.user_data_path("sadinet") if settings is None else settings.absolute().parent
        return cls(data, platformdirs.user_cache_path("sadinet"), platformdirs.user_log_path("sadinet"))

    @classmethod
    def of_test(cls, scratch: Path) -> _Places:
        """Return places in a folder that is taken away afterwards."""
        return cls(scratch, scratch / "cache", scratch)


def _window(options: argparse.Namespace, path: Path, places: _Places) -> tuple[MainWindow, bool]:
    """Return the window, with everything begun, and whether settings may be written."""
    from dataclasses import replace

    from app.choice import DEMO, choice_of
    from app.controller import SCHEMES, Controller
    from app.loading import ModelChoice
    from app.main_window import MainWindow
    from app.settings import AppSettings, load
    from app.state import AppState, Problem
    from app.workers import Workers

    loaded = load(path)
    settings: AppSettings = AppSettings() if options.self_test else loaded.settings
    for name in ("weights", "engine", "device", "theme"):
        if (chosen := getattr(options, name)) is not None:
            settings = replace(settings, **{name: chosen})
    models = ModelChoice(settings.weights, settings.engine, settings.device)
    state = AppState(speed=settings.speed, is_looped=settings.is_looped, recent=settings.recent)
    controller = Controller(Workers(models, places.cache / "analyses"), state)
    if loaded.note:
        controller.tell(Problem(loaded.note, is_error=False))
    window = MainWindow(controller, settings, places.data)
    wanted = choice_of(options.source, SCHEMES) if options.source else settings.source
    controller.start(wanted or DEMO)
    return window, loaded.may_save


def _end(window: MainWindow) -> tuple[str, ...]:
    """End all threads, side by side; returns those that did not end in time."""
    late: list[str] = []
    ends: tuple[Callable[[], Sequence[str]], ...] = (
        lambda: window.controller.workers.stop(_STOP_S),
        lambda: window.desk.finish(_STOP_S),
        lambda: window.side.stop(_STOP_S),
    )
    threads = [threading.Thread(target=lambda end=end: late.extend(end()), daemon=True) for end in ends]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + _STOP_S + 0.2
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return (*late, *("closing" for thread in threads if thread.is_alive()))


def _save(path: Path, settings: AppSettings) -> None:
    from app.settings import save

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        _log.warning("settings are not kept: %s", error)
        return
    if not save(path, settings):
        _log.warning("settings are not kept: %s cannot be written", path)


def _settings_path() -> Path:
    import platformdirs

    return platformdirs.user_config_path("sadinet") / "app.ini"


if __name__ == "__main__":
    sys.exit(main())
