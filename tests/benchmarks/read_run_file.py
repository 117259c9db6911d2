#!/usr/bin/env python3
"""How long does h5py take to read the table of results of a run file? `read_run_file.py run.h5`"""

import sys
import time

import h5py
import numpy as np


def main() -> None:
    begin = time.perf_counter()
    with h5py.File(sys.argv[1], "r") as file:
        table = {name: column[:] for name, column in file["results"].items()}
    seconds = time.perf_counter() - begin
    size = sum(column.nbytes for column in table.values())
    print(f"{len(table['fval']):,} starts, {len(table)} columns, {size / 1e6:.0f} MB: {seconds:.2f} s")

    # The same bytes as one plain array, for the share that is the disk's and h5py's.
    plain = sys.argv[1] + ".plain"
    with h5py.File(plain, "w") as file:
        file["x"] = np.asarray(table["x"])
    begin = time.perf_counter()
    with h5py.File(plain, "r") as file:
        file["x"][:]
    print(f"x alone from a file of its own: {time.perf_counter() - begin:.2f} s")


if __name__ == "__main__":
    main()
