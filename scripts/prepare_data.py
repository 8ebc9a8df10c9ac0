"""Check, clean and pack labelled pictures for training.

    python scripts/prepare_data.py check ROOT
    python scripts/prepare_data.py clean ROOT -o CLEANED --opinions TEACHERS.npz [PREDICTIONS.npz ..]
    python scripts/prepare_data.py pack ROOT [ROOT ..] -o SHARDS [--labels CLEANED/labels.npz]

ROOT is a folder of LSP, LSPet, MPII (official or JSON), COCO, YOLO-pose labels, or pictures with a .npz of joints;
which one it is, is told by what lies in it.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from sadinet.atomic import make_folder
from sadinet.errors import InputError, SadinetError, SourceError
from sadinet.skeletons import SKELETONS, Skeleton, skeleton_by_name
from sadinet.training.datasets import LONGEST_SIDE
from sadinet.training.sets.checking import Findings, examine
from sadinet.training.sets.cleaned_files import CHANGES, LABELS, SHEET, write_changes, write_labels, write_sheet
from sadinet.training.sets.cleaning import REASONS, clean_labels, merge_folds, read_opinions
from sadinet.training.sets.crops import LEAST_JOINTS, cut_people, labels_in_body19
from sadinet.training.sets.joint_file import JointFile, read_joint_file
from sadinet.training.sets.people import MOST_FAULTY, Fault, LabelledSet, lost, refuse_if_empty, refuse_if_faulty
from sadinet.training.sets.recognise import SOURCES, open_candidate, open_labels, recognise
from sadinet.training.sets.selection import Selection
from sadinet.training.sets.shards import Packing, ShardWriter

_NAMED = 20


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(dest="step", required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--annotations", type=Path, help="file of labels, where ROOT has several")
    common.add_argument("--skeleton", choices=sorted(SKELETONS), help="joints of YOLO's labels (default: coco17)")

    check = steps.add_parser("check", parents=[common], help="say what a folder holds, lacks, and what is damaged")
    check.add_argument("root", type=Path, metavar="ROOT")
    check.add_argument("--quick", action="store_true", help="do not open the pictures")

    clean = steps.add_parser("clean", parents=[common], help="mend labels, with a table of changes and a sheet")
    clean.add_argument("root", type=Path, metavar="ROOT")
    clean.add_argument("-o", "--out", type=Path, required=True, help="folder of the results")
    clean.add_argument("--opinions", type=Path, nargs="+", default=[], metavar="NPZ", help="teachers and predictions")
    clean.add_argument("--sample", type=int, default=24, help="people on the sheet")

    pack = steps.add_parser("pack", parents=[common], help="cut people out into shards")
    pack.add_argument("roots", type=Path, nargs="+", metavar="ROOT")
    pack.add_argument("-o", "--out", type=Path, required=True, help="folder of the shards")
    pack.add_argument("--labels", type=Path, help="cleaned labels of the one ROOT")
    pack.add_argument(
        "--select", help="first:last number of the set's labels (LSP, LSPet: pictures; COCO: annotations)"
    )
    pack.add_argument("--leave-out", metavar="K/N", help="fold: all but the K-th of N parts of the pictures")
    pack.add_argument("--split", choices=("train", "val", "test"), help="only what the set's labels say is of it")
    pack.add_argument("--shard-mb", type=float, default=60.0, help="largest file, million bytes")
    pack.add_argument("--format", choices=("jpeg", "png"), default="jpeg")
    pack.add_argument("--quality", type=int, default=92, help="of JPEG")
    pack.add_argument("--longest-side", type=int, default=LONGEST_SIDE, help="pixels of a crop")
    pack.add_argument(
        "--least-joints", type=int, default=LEAST_JOINTS, help="fewest for a person to be taken (default: %(default)s)"
    )
    pack.add_argument("--most-faulty", type=float, default=100 * MOST_FAULTY, help="percent that may be unusable")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run one step; returns the exit code."""
    options = parse(arguments)
    try:
        return {"check": run_check, "clean": run_clean, "pack": run_pack}[options.step](options)
    except SadinetError as error:
        print(f"prepare_data: {error}", file=sys.stderr)
        return 1


def run_check(options: argparse.Namespace) -> int:
    """Report on all labels in a folder; 0 if each set can be trained on."""
    skeleton = chosen_skeleton(options)
    usable = True
    for candidate in recognise(options.root, options.annotations):
        try:
            labelled = open_candidate(options.root, candidate, skeleton)
        except SourceError as error:
            print(f"prepare_data: {error}", file=sys.stderr)
            usable = False
            continue
        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("pictures", total=len(labelled.pictures))
            findings = examine(
                labelled,
                read_pictures=not options.quick,
                progress=lambda done, _: bar.update(task, completed=done),  # noqa: B023 (called in this turn only)
            )
        print_findings(findings)
        usable = usable and findings.is_usable
    return 0 if usable else 1


def print_findings(findings: Findings) -> None:
    """Print what was found, what is missing and what is damaged."""
    labelled = findings.labelled
    print(f"{labelled.layout}: {labelled.labels}")
    print(f"  {len(labelled.pictures)} pictures with {len(labelled)} people, joints of {labelled.skeleton.name}")
    splits = Counter(person.split for person in labelled.people if person.split)
    if splits:
        print("  split: " + ", ".join(f"{name} {count}" for name, count in sorted(splits.items())))
    table = Table("joint", "labelled", "of these hidden")
    for name, count, hidden in zip(labelled.skeleton.joints, findings.labels, findings.hidden, strict=True):
        table.add_row(name, str(count), str(hidden))
    Console().print(table)
    if labelled.absent:
        names = [str(path) for path in labelled.absent]
        print_names(f"{len(names)} labelled pictures are not there", names)
    if labelled.absent:
        print(f"  if it is the published set, this is where to get it: {SOURCES[labelled.layout]}")
    print_names(f"{len(findings.outside)} joints lie outside of their picture (they get weight 0)", findings.outside)
    gone = lost(findings.faults)
    told = f"{len(findings.faults)} labels or pictures cannot be used"
    told += f", with {gone} people" if gone != len(findings.faults) else ""
    print_names(told, findings.faults, most=len(findings.faults))
    if not findings.pictures_read:
        print("  pictures were not opened")
    if not findings.is_usable:
        print("  NOT USABLE: " + ("nobody is in it" if not labelled.people else "more than 1% is faulty"))


def print_names(what: str, names: Sequence[object], most: int = _NAMED) -> None:
    """Print a line and up to so many names below it."""
    print(f"  {what}" + (":" if names else ""))
    for name in names[:most]:
        print(f"    {name}")
    if len(names) > most:
        print(f"    and {len(names) - most} more")


def run_clean(options: argparse.Namespace) -> int:
    """Clean one set's labels."""
    labelled = open_labels(options.root, options.annotations, chosen_skeleton(options))
    refuse_if_faulty(labelled.faults, labelled.total, str(labelled.labels))
    refuse_if_empty(labelled.people, str(labelled.labels), SOURCES[labelled.layout])
    opinions = merge_folds([opinion for path in options.opinions for opinion in read_opinions(path, labelled.people)])
    before = labels_in_body19(labelled)
    cleaned = clean_labels(*before, opinions)
    make_folder(options.out)
    write_labels(options.out / LABELS, labelled, cleaned)
    write_changes(options.out / CHANGES, labelled, cleaned.changes)
    shown = write_sheet(options.out / SHEET, labelled, before, cleaned, options.sample)
    joints = Counter(change.reason for change in cleaned.changes)
    people = {reason: len({c.person for c in cleaned.changes if c.reason == reason}) for reason in REASONS}
    names = ", ".join(opinion.name for opinion in opinions) or "nobody"
    print(f"{len(labelled)} people of {labelled.labels}, asked: {names}")
    tell_absent(labelled)
    for reason in REASONS:
        print(f"  {reason}: {joints[reason]} joints of {people[reason]} people")
    print(f"  {options.out / LABELS}, {CHANGES}" + (f", {SHEET} with {shown} people" if shown else ""))
    for fault in labelled.faults:
        print(f"  skipped {fault}")
    return 0


def tell_absent(labelled: LabelledSet) -> None:
    """Say how many labelled pictures are not there."""
    if labelled.absent:
        count = len(labelled.absent)
        print(f"  {count} labelled pictures are not there and are left out, the first is {labelled.absent[0]}")


def run_pack(options: argparse.Namespace) -> int:
    """Pack one or several sets into a folder of shards."""
    if len(options.roots) > 1 and (options.labels or options.annotations or options.select):
        raise InputError("--labels, --annotations and --select are for one ROOT", "pack the sets one after the other")
    if options.shard_mb <= 0 or not 1 <= options.quality <= 100 or options.longest_side < 32:
        raise InputError("--shard-mb above 0, --quality from 1 to 100 and --longest-side from 32 on are needed")
    packing = Packing(round(options.shard_mb * 1e6), options.format, options.quality)
    # All sets are opened before anything is written: a wrong folder is told at once.
    sets = [choose(open_labels(root, options.annotations, chosen_skeleton(options)), options) for root in options.roots]
    cleaned = cleaned_labels(options.labels, sets[0]) if options.labels else None
    writer = ShardWriter(options.out, packing)
    for name, labelled in zip(names_of(sets), sets, strict=True):
        pack_set(writer, name, labelled, cleaned, options)
    index = writer.finish()
    print(
        f"{index['people']} people in {len(index['files'])} files of at most {options.shard_mb:g} MB in {options.out}"
    )
    return 0


def choose(labelled: LabelledSet, options: argparse.Namespace) -> LabelledSet:
    """Return the people that --select, --split and --leave-out ask for; `SourceError` if that is nobody."""
    selection = Selection.parse(options.select) if options.select else None
    left_out = Selection.parse(fold=options.leave_out) if options.leave_out else None
    chosen = labelled.only(selection, options.split, leave_out=left_out)
    remedy = f"check --select, --split and --leave-out, or get the set: {SOURCES[labelled.layout]}"
    refuse_if_empty(chosen.people, str(labelled.labels), remedy)
    return chosen


def cleaned_labels(path: Path, labelled: LabelledSet) -> JointFile:
    """Read cleaned labels; `InputError` if they are of another set."""
    cleaned = read_joint_file(path)[0]
    if not (cleaned.of(labelled.people)[1] > 0).any():
        raise InputError(f"{path} labels nobody of {labelled.labels}", "clean this set, or pack that one")
    return cleaned


def names_of(sets: Sequence[LabelledSet]) -> list[str]:
    """Name each set by its layout, with a number where there are several of one."""
    so_far: Counter[str] = Counter()
    names = []
    for labelled in sets:
        so_far[labelled.layout] += 1
        number = so_far[labelled.layout]
        names.append(labelled.layout if number == 1 else f"{labelled.layout}-{number}")
    return names


def pack_set(
    writer: ShardWriter, name: str, labelled: LabelledSet, cleaned: JointFile | None, options: argparse.Namespace
) -> None:
    """Cut and store one set, and say what became of it; `SourceError` if too much cannot be used."""
    faults: list[Fault] = list(labelled.faults)
    packed = outside = 0
    joints = 0
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=len(labelled))
        for each in cut_people(
            labelled,
            cleaned,
            least_joints=options.least_joints,
            longest_side=options.longest_side,
            progress=lambda done, _: bar.update(task, completed=done),
        ):
            if isinstance(each, Fault):
                faults.append(each)
                continue
            writer.add(each, name)
            packed += 1
            outside += each.outside
            joints += int((each.weight > 0).sum())
    most = options.most_faulty / 100
    refuse_if_faulty(faults, labelled.total, str(labelled.labels), most)
    refuse_if_empty(
        [None] * packed, str(labelled.labels), f"people with fewer than {options.least_joints} joints do not count"
    )
    print(f"{name}: {packed} of {len(labelled)} people, {joints} joints; {outside} outside of their picture")
    tell_absent(labelled)
    if few := len(labelled) - packed - lost(faults[len(labelled.faults) :]):
        print(f"  {few} people with fewer than {options.least_joints} joints (--least-joints) are left out")
    for fault in faults:
        print(f"  skipped {fault}")


def chosen_skeleton(options: argparse.Namespace) -> Skeleton | None:
    """Return the skeleton of --skeleton."""
    return None if options.skeleton is None else skeleton_by_name(options.skeleton)


if __name__ == "__main__":
    sys.exit(main())
