#!/usr/bin/env python3
"""Condenses a table that sbml_suite wrote into one line a tag, in Markdown.

    tag_table.py out.tsv

A case has many tags and counts under each of them.
"""

import csv
import sys
from collections import Counter, defaultdict
from pathlib import Path

VERDICTS = ("passed", "refused", "failed")


def counts_by_tag(rows: list[dict[str, str]]) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        for tag in filter(None, (tag.strip() for tag in row["tags"].split(","))):
            counts[tag][row["verdict"]] += 1
    return counts


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    with Path(sys.argv[1]).open(newline="") as file:
        counts = counts_by_tag(list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)))
    print("| tag | " + " | ".join(VERDICTS) + " |\n| --- |" + " --- |" * len(VERDICTS))
    for tag in sorted(counts):
        print(f"| {tag} | " + " | ".join(str(counts[tag][verdict] or "") for verdict in VERDICTS) + " |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
