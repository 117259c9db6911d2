"""Reads the run file that test_run_file.cpp wrote, knowing nothing but the layout in run_file.hpp."""

import sys

import h5py
import numpy as np


def check_self_description(name: str, item: h5py.Dataset | h5py.Group) -> None:
    assert item.attrs["description"], name


def main(path: str) -> None:
    with h5py.File(path, "r") as file:
        assert file.attrs["format_version"] == 2
        assert file.attrs["seed"] == 0xFFFFFFFFFFFFFFF0
        assert file.attrs["study"].startswith("problem:")
        assert file.attrs["end_time"] == ""
        file.visititems(check_self_description)

        assert list(file["/problem/parameter_ids"].asstr()) == ["k1", "k2", "s"]
        assert file["/problem/parameter_names"].asstr()[0] == "rate of α"
        np.testing.assert_array_equal(file["/problem/lower_bounds"], [-5, 0, -3])

        results = file["/results"]
        assert results["x"].shape == (7, 3)
        np.testing.assert_array_equal(results["start_id"], np.arange(7))
        np.testing.assert_array_equal(results["fval"], np.arange(7) + 0.5)
        labels = {code: label for label, code in h5py.check_enum_dtype(results["status"].dtype).items()}
        assert [labels[code] for code in results["status"][:2]] == ["converged", "stalled"]
        assert results["message"].asstr()[6] == "reason 6"
        assert results["wall_seconds"].attrs["unit"] == "s"

        trace = file["/trace"]
        row = list(trace["start_id"]).index(4)
        begin, n = trace["offset"][row], trace["length"][row]
        np.testing.assert_array_equal(trace["iteration"][begin : begin + n], np.arange(4))
        np.testing.assert_array_equal(trace["fval"][begin : begin + n], 400 - np.arange(4))


main(sys.argv[1])
