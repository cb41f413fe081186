"""Plants defects of every kind into real rows and measures what `tunesmith check` finds.

    python -m benchmarks.audit --out runs/audit [--only phone] [--split tune]

Writes OUT/audit.md, OUT/audit.json (all figures) and OUT/untouched.json (samples of what is
found in rows as they are). Needs the public data of ../shared/data, or --data.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.audit.cases import FAMILIES, Case, Supply, cases_of
from benchmarks.audit.checked import check
from benchmarks.audit.dice import HALVES, Half
from benchmarks.audit.page import Calm, write_page
from benchmarks.audit.score import Result, score

ROOT = Path(__file__).parents[2]


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.audit",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--out", type=Path, default=Path("runs/audit"), help="folder for the result (runs/audit)")
    add("--data", type=Path, default=ROOT.parent / "shared" / "data", help="the public data sets")
    add("--only", action="append", metavar="RULE", help="a rule, or a family of rules; repeat")
    add("--split", choices=HALVES, help="one half; left out: both")
    add("--jobs", type=int, default=1, help="audits at the same time (1)")
    add("--seed", type=int, default=1, help="of all draws (1)")
    return parser


def main() -> None:
    """Do what the command line asks for, and print the page."""
    given = arguments().parse_args()
    folder = given.out.resolve()
    if not given.data.is_dir():
        raise SystemExit(f"error: {given.data} is not there; --data names the public data sets")
    supply = Supply(given.data.resolve(), given.seed)
    wanted = set(given.only or FAMILIES)
    families = [name for name, rules in FAMILIES.items() if wanted & {name, *rules}]
    if not families:
        raise SystemExit(f"error: no family of defects is about {', '.join(sorted(wanted))}")
    halves: tuple[Half, ...] = (given.split,) if given.split else HALVES
    cases = [
        case for half in halves for family in families for case in cases_of(family, half, supply)
    ]
    with ThreadPoolExecutor(given.jobs) as pool:
        calm = audit_calm(cases, folder / "files", pool)
        results = list(pool.map(lambda case: measure(case, folder / "files", calm), cases))
    print(write_page(results, calm, folder))


def calm_key(case: Case) -> tuple[str, Half]:
    """Which calm file a case is compared with; most families share one a data set."""
    alone = case.held_out is None and case.benchmark is None and not case.base
    return (case.data_set if alone else f"{case.data_set}, {case.family}", case.half)


def audit_calm(cases: list[Case], folder: Path, pool: ThreadPoolExecutor) -> Calm:
    """Audit every file without defects once."""
    twins = {calm_key(case): case for case in reversed(cases) if case.calm is not None}
    runs = pool.map(lambda case: check(case, folder / f"{case.name}-calm", calm=True),
                    twins.values())  # fmt: skip
    return dict(zip(twins, runs, strict=True))


def measure(case: Case, folder: Path, calm: Calm) -> Result:
    """Audit a case, and score it."""
    checked = check(case, folder / case.name, calm=False)
    result = score(case, checked, calm[calm_key(case)] if case.calm is not None else None)
    said = checked.error.splitlines()[-1] if checked.error else ""
    planted = sum(not one.near_miss for one in case.defects)
    missed = sum(not one.near_miss for one, _ in result.missed)
    print(f"{case.name}: {planted - missed} of {planted} found, exit {checked.exit_code}, "
          f"{checked.seconds:.1f} s {said}", file=sys.stderr, flush=True)  # fmt: skip
    return result


if __name__ == "__main__":
    main()
