"""Which tables a benchmark shows: an overview of what matters for composites that were made, details for all."""

from collections.abc import Mapping, Sequence

from harmonize_engine.evaluation import ablation, families, pasted, real, restraint
from harmonize_engine.evaluation.ablation import Recipe
from harmonize_engine.evaluation.duel import Duel
from harmonize_engine.evaluation.outcome import Outcome
from harmonize_engine.evaluation.protocols import is_enlarged, magnitudes, protocols
from harmonize_engine.evaluation.summary import Summary, by_entrant, sizes
from harmonize_engine.evaluation.table import Cell, Table, number, percent, ratio

changing = tuple(family for family in families.names if family != "untouched")


def overview(outcomes: Sequence[Outcome], focus: str, recipes: Mapping[str, Recipe] | None = None) -> list[Table]:
    """The tables to look at first; focus: the entrant that all others are compared with; recipes: of networks."""
    made = [o for o in outcomes if o.group in protocols]
    candidates = [*(table(made) for table in (_families, _strengths, _harm)), _duels(outcomes, focus)]
    candidates += [restraint.table(made), real.table(made), ablation.table(made, recipes or {})]
    candidates += [_resolution(made), _sizes(outcomes)]
    return [table for table in candidates if table is not None and table.rows and len(table.header) > 1]


def details(outcomes: Sequence[Outcome]) -> list[Table]:
    """Every number of every group; of a dataset with several subsets all together, too."""
    groups = list(dict.fromkeys(o.group for o in outcomes if o.group != pasted.group))
    known = list(protocols)
    groups.sort(key=lambda group: (known.index(group), "") if group in known else (len(known), group))
    found = [_detail(group, [o for o in outcomes if o.group == group]) for group in groups]
    subsets = [o for o in outcomes if o.group not in protocols]
    if len({o.group for o in subsets}) > 1:
        found.append(_detail("All", subsets))
    return found


def entrants(outcomes: Sequence[Outcome]) -> list[str]:
    """Who took part, in order of appearance."""
    return list(dict.fromkeys(o.entrant for o in outcomes))


def _detail(title: str, outcomes: Sequence[Outcome]) -> Table:
    found = by_entrant(outcomes)
    with_lpips = any(o.lpips is not None for o in outcomes)
    count = max((summary.count for summary in found.values()), default=0)
    header = [
        "entrant",
        "MSE",
        "fMSE",
        "ratio",
        "95 %",
        "PSNR",
        "SSIM x 100",
        "PSNR inside",
        "made worse",
        "p95 fMSE",
        "moved",
    ]
    rows: list[tuple[str, tuple[Cell, ...]]] = []
    for name, s in found.items():
        cells = [number(s.mse), number(s.fmse), ratio(s.ratio), _between(s), number(s.psnr, 2), number(100 * s.ssim, 2)]
        cells += [number(s.psnr_inside, 2), percent(s.worse), number(s.p95), number(s.moved, 2)]
        rows.append((name, tuple([*cells, number(1000 * s.lpips)] if with_lpips else cells)))
    return Table(f"{title} ({count})", "", tuple([*header, "LPIPS x 1000"] if with_lpips else header), tuple(rows))


def _between(summary: Summary) -> Cell:
    low, high = summary.interval
    return Cell("" if low != low else f"{low:.2f} to {high:.2f}")


def _columns(
    outcomes: Sequence[Outcome], columns: Mapping[str, Sequence[str]]
) -> tuple[list[str], dict[str, dict[str, Summary]]]:
    """Summaries of some groups together, by column; columns without outcomes are left out."""
    found: dict[str, dict[str, Summary]] = {}
    for title, groups in columns.items():
        wanted = set(groups)
        if any(o.group in wanted for o in outcomes):
            found[title] = by_entrant(outcomes, lambda o, wanted=wanted: o.group in wanted)
    return list(found), found


def _ratios(title: str, note: str, outcomes: Sequence[Outcome], columns: Mapping[str, Sequence[str]]) -> Table:
    titles, found = _columns(outcomes, columns)
    rows = [
        (name, tuple(ratio(found[t][name].ratio) if name in found[t] else Cell("") for t in titles))
        for name in entrants(outcomes)
    ]
    return Table(title, note, ("entrant", *titles), tuple(rows))


def _families(outcomes: Sequence[Outcome]) -> Table:
    columns: dict[str, Sequence[str]] = {f: [f"{f}-full"] for f in families.trained}
    columns["trained, all"] = [f"{f}-full" for f in families.trained]
    columns |= {f: [f"{f}-full"] for f in ("light", *families.held_out)}
    columns["held out, all"] = [f"{f}-full" for f in families.held_out]
    note = "Mean fMSE as a share of the composites', at full magnitude: 1 = as if nothing had been done, below is better."
    return _ratios("What is left of the error", note, outcomes, columns)


def _strengths(outcomes: Sequence[Outcome]) -> Table:
    kinds = {"trained": families.trained, "held out": families.held_out, "light": ("light",)}
    columns = {f"{kind}, {word}": [f"{f}-{word}" for f in names] for kind, names in kinds.items() for word in magnitudes}
    return _ratios("By how much was changed", "The same share; a small change tests restraint.", outcomes, columns)


def _harm(outcomes: Sequence[Outcome]) -> Table:
    plain = [o for o in outcomes if not is_enlarged(o.group)]
    columns: dict[str, Sequence[str]] = {w: [f"{f}-{w}" for f in changing] for w in magnitudes}
    columns["all"] = [group for groups in columns.values() for group in groups]
    titles, found = _columns(plain, columns)
    still = by_entrant(plain, lambda o: o.family == "untouched")
    header = ["entrant", *(f"worse, {t}" for t in titles), *(["left alone", "p95 fMSE"] if titles else [])]
    header += ["untouched moved", "untouched left"] if still else []
    rows: list[tuple[str, tuple[Cell, ...]]] = []
    for name in entrants(plain):
        cells = [percent(found[t][name].worse) if name in found[t] else Cell("") for t in titles]
        if titles and name in found["all"]:
            there = found["all"][name]
            cells += [Cell(f"{100 * there.left:.1f} %"), number(there.p95)]
        if still:
            calm = still.get(name)
            cells += [Cell(""), Cell("")] if calm is None else [_moved(calm), Cell(f"{100 * calm.left:.1f} %")]
        rows.append((name, tuple(cells)))
    note = (
        "Share of composites that ended farther from the truth; how many were left alone on the model's advice; how far "
        "pictures that fitted already were moved, mean over the foreground in 8-bit levels."
    )
    return Table("Harm", note, tuple(header), tuple(rows))


def _duels(outcomes: Sequence[Outcome], focus: str) -> Table:
    """Everyone against one, scene by scene; of made composites by kind."""
    kinds: dict[str, set[str]] = {
        "trained": {f"{f}-{w}" for f in families.trained for w in magnitudes},
        "light": {f"light-{w}" for w in magnitudes},
        "held out": {f"{f}-{w}" for f in families.held_out for w in magnitudes},
        "dataset": {o.group for o in outcomes} - set(protocols),
    }
    shown = {kind: part for kind, groups in kinds.items() if (part := [o for o in outcomes if o.group in groups])}
    rows: list[tuple[str, tuple[Cell, ...]]] = []
    for name in entrants(outcomes):
        if name != focus:
            cells = [_duel(part, focus, name) for part in shown.values()]
            rows.append((name, tuple(cell for pair in cells for cell in pair)))
    header = ("against", *(title for kind in shown for title in (f"{kind}: lead", "won")))
    note = (
        f"How much nearer to the truth {focus} is than each of the others, in RMS levels over the foreground, mean over "
        "scenes with its 95 % interval, and on how many scenes it is nearer; all magnitudes together."
    )
    return Table(f"{focus} against the others", note, header, tuple(rows))


def _duel(outcomes: Sequence[Outcome], focus: str, name: str) -> tuple[Cell, Cell]:
    found = Duel.of([o for o in outcomes if o.entrant == focus], [o for o in outcomes if o.entrant == name])
    if found is None:
        return Cell(""), Cell("")
    share = None if not found.decided else 0.5 if found.lead > 0 else 1.5
    lead = f"{found.lead:+.2f} ({found.interval[0]:+.2f} to {found.interval[1]:+.2f})"
    return Cell(lead, share), Cell(f"{100 * found.won:.0f} %")


def _moved(summary: Summary) -> Cell:
    return Cell(f"{summary.moved:.2f}", min(summary.moved / 2, 2.0))


def _resolution(outcomes: Sequence[Outcome]) -> Table | None:
    large = {(o.family, o.name) for o in outcomes if is_enlarged(o.group)}
    if not large:
        return None
    same = [o for o in outcomes if (o.family, o.name) in large and o.magnitude == 1]
    columns: dict[str, Sequence[str]] = {}
    for kind, names in (("trained", families.trained), ("light", ("light",)), ("held out", families.held_out)):
        columns[kind] = [f"{f}-full" for f in names]
        columns[f"{kind}, 1080p"] = [f"{f}-full-1080p" for f in names]
    note = "The same share for the same changes of the same photographs, as they are and enlarged to 1080 pixels."
    return _ratios("Independence of resolution", note, same, columns)


def _sizes(outcomes: Sequence[Outcome]) -> Table:
    part = [o for o in outcomes if o.group not in protocols or (o.group.endswith("-full"))]
    found = {
        t: by_entrant(part, lambda o, low=low, high=high: low <= o.foreground < high) for t, (low, high) in sizes.items()
    }
    found = {title: summaries for title, summaries in found.items() if summaries}
    header = ["entrant"]
    for title, summaries in found.items():
        header += [f"fMSE, {title} ({max(s.count for s in summaries.values())})", "ratio", "PSNR"]
    rows: list[tuple[str, tuple[Cell, ...]]] = []
    for name in entrants(part):
        cells: list[Cell] = []
        for summaries in found.values():
            s = summaries.get(name)
            cells += [Cell("")] * 3 if s is None else [number(s.fmse), ratio(s.ratio), number(s.psnr, 2)]
        rows.append((name, tuple(cells)))
    return Table("By size of the foreground", "Share of the picture; at full magnitude.", tuple(header), tuple(rows))
