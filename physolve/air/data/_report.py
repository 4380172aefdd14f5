"""What was found wrong in tables, and what was done about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Counts = Mapping[str, int]


@dataclass(frozen=True)
class Report:
    """Counts; the rules are those of `prepare`.

    rows                  read, of all files
    unknown_stations      name to rows that were left out: not in the table of stations
    silent_stations       in the table of stations, with no row: left out
    bad_times             rows that were left out: the time cannot be read
    joined                rows that repeat or complete an earlier one of that station and time
    contradicting         rows that say something else than an earlier one of that station and time: its values are kept
    absent                times without a row, every station having one as often as it usually does: missing
    unreadable            values that are no numbers or directions, by variable, missing
    sentinels             values such as 999999 that mark what is missing, by variable
    impossible            values out of bounds such as negative concentrations, by variable, missing
    missing               share of every variable in the series, by variable
    """

    rows: int
    unknown_stations: Counts = field(default_factory=dict)
    silent_stations: tuple[str, ...] = ()
    bad_times: int = 0
    joined: int = 0
    contradicting: int = 0
    absent: int = 0
    unreadable: Counts = field(default_factory=dict)
    sentinels: Counts = field(default_factory=dict)
    impossible: Counts = field(default_factory=dict)
    missing: Mapping[str, float] = field(default_factory=dict)

    @property
    def lines(self) -> list[tuple[str, str]]:
        """Label and words for everything that was found."""
        found = [
            ("rows read", f"{self.rows}"),
            ("unknown stations", _counts(self.unknown_stations, "rows left out")),
            ("silent stations", ", ".join(self.silent_stations) and f"{', '.join(self.silent_stations)}: left out"),
            ("unreadable times", _number(self.bad_times, "rows left out")),
            ("joined rows", _number(self.joined, "repeat or complete an earlier one")),
            ("contradicting rows", _number(self.contradicting, "the earlier values kept")),
            ("absent rows", _number(self.absent, "of a station's usual times: missing")),
            ("unreadable values", _counts(self.unreadable, "missing")),
            ("sentinels", _counts(self.sentinels, "missing")),
            ("impossible values", _counts(self.impossible, "missing")),
            ("missing now", ", ".join(f"{name} {100 * share:.1f} %" for name, share in self.missing.items())),
        ]
        return [(label, words) for label, words in found if words]


def _number(count: int, done: str) -> str:
    return f"{count} {done}" if count else ""


def _counts(counts: Counts, done: str) -> str:
    shown = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
    return f"{shown}: {done}" if shown else ""
