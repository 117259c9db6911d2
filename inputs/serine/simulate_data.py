#!/usr/bin/env python3
"""Simulates measurements.tsv: the rate laws in NumPy, SciPy's integrator, noise from a fixed seed.

Shares no code with kinetune, so that the data test it. True parameters are the nominal values of parameters.tsv,
experiments are those of conditions.tsv. `--fisher` prints instead how well the data determine each parameter.
"""

import argparse
import csv
from pathlib import Path

import numpy as np
from scipy.integrate import solve_ivp

FOLDER = Path(__file__).parent
SEED = 20130985
SLOW_TIMES = [2, 5, 10, 15, 20, 30, 40, 60]  # s
TIMES = {"published": [0.5, 1, 1.5, 2, 2.5, 3, 4, 6]}  # s; all others: SLOW_TIMES
RATE_EVERY = 2  # the rate is measured at every second of these times
RATE_NOISE = 0.05  # of the signal, beside
RATE_NOISE_FLOOR = 4e-4  # in units of the signal

Numbers = dict[str, float]


def read_table(name: str) -> list[dict[str, str]]:
    with open(FOLDER / name, newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def read_conditions() -> dict[str, Numbers]:
    rows = read_table("conditions.tsv")
    ids = [column for column in rows[0] if not column.startswith("condition")]
    return {row["conditionId"]: {name: float(row[name]) for name in ids} for row in rows}


def rates(php: float, pser: float, c: Numbers, p: Numbers) -> tuple[float, float, float]:
    """Rates of SerA, SerC and SerB in mM/s, for concentrations in mM."""
    a = c["p3g"] / p["KAp3g"]
    serine = 1 + c["ser"] / p["KiAser"]
    v_pdh = p["kcatA"] * c["serA"] * a / (1 + a + php / p["KAphp"]) / serine
    b = php / p["KCphp"]
    v_psa = p["kcatC"] * c["serC"] * b / (1 + b + pser / p["KCpser"])
    d = pser / p["KBpser"]
    v_psp = p["kcatB"] * c["serB"] * d / (1 + d + c["ser"] / p["KBser"])
    return v_pdh, v_psa, v_psp


def simulate(c: Numbers, p: Numbers, times: list[float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """php (mM), pser (mM) and the rate of serine formation (mM/s) at the times."""

    def derivative(_: float, y: np.ndarray) -> list[float]:
        v_pdh, v_psa, v_psp = rates(*y, c, p)
        return [v_pdh - v_psa, v_psa - v_psp]

    solution = solve_ivp(derivative, (0, times[-1]), [c["php"], c["pser"]], method="LSODA", t_eval=times,
                         rtol=1e-10, atol=1e-13)
    assert solution.success, solution.message
    php, pser = solution.y
    return php, pser, rates(php, pser, c, p)[2]


def predictions(p: Numbers) -> list[dict]:
    """One entry a measurement, with the noise-free value on the linear scale."""
    entries = []
    for condition, c in read_conditions().items():
        times = TIMES.get(condition, SLOW_TIMES)
        php, pser, rate = simulate(c, p, times)
        series = {"pser_conc": (times, pser + p["blank"]), "serine_rate": (times, p["scale_rate"] * rate)}
        if c["php"] > 0 or c["serA"] > 0:  # otherwise there is none to be measured
            series["php_conc"] = (times, php + p["blank"])
        for observable in sorted(series):
            step = RATE_EVERY if observable == "serine_rate" else 1
            for time, value in list(zip(*series[observable]))[step - 1 :: step]:
                entries.append({"observable": observable, "condition": condition, "time": time, "value": value})
    return entries


def rate_sigma(value: float) -> float:
    """As a lab would state it from replicates: two digits."""
    return float(f"{RATE_NOISE * value + RATE_NOISE_FLOOR:.1e}")


def write_measurements(truth: Numbers, path: Path) -> None:
    random = np.random.default_rng(SEED)
    with open(path, "w", newline="") as file:
        table = csv.writer(file, delimiter="\t", lineterminator="\n")
        table.writerow(["observableId", "simulationConditionId", "time", "measurement", "observableParameters",
                        "noiseParameters"])
        for entry in predictions(truth):
            observable, value = entry["observable"], entry["value"]
            if observable == "serine_rate":
                sigma = rate_sigma(value)
                noisy, parameters = value + sigma * random.standard_normal(), ["scale_rate", f"{sigma:g}"]
            else:
                sigma = truth["sigma_" + observable.removesuffix("_conc")]
                noisy, parameters = value * 10 ** (sigma * random.standard_normal()), ["", ""]
            table.writerow([observable, entry["condition"], f"{entry['time']:g}", f"{noisy:.4g}", *parameters])


def residual_scale(entry: dict, truth: Numbers) -> tuple[float, float]:
    """(value, sigma) on the scale on which the noise is normal."""
    if entry["observable"] == "serine_rate":
        return entry["value"], rate_sigma(entry["value"])
    return np.log10(entry["value"]), truth["sigma_" + entry["observable"].removesuffix("_conc")]


def print_fisher(truth: Numbers, rows: list[dict[str, str]]) -> None:
    """Standard deviations from the inverse Fisher matrix, in decades, prior included; central differences."""
    names = [r["parameterId"] for r in rows if r["estimate"] == "1" and not r["parameterId"].startswith("sigma")]
    sigmas = np.array([residual_scale(entry, truth)[1] for entry in predictions(truth)])
    step = 1e-4  # decades

    def values(name: str, shift: float) -> np.ndarray:
        moved = truth | {name: truth[name] * 10**shift}
        return np.array([residual_scale(entry, truth)[0] for entry in predictions(moved)])

    jacobian = np.stack([(values(n, step) - values(n, -step)) / (2 * step) / sigmas for n in names], axis=1)
    fisher = jacobian.T @ jacobian
    for row in rows:
        if row["objectivePriorType"] == "parameterScaleNormal":
            index = names.index(row["parameterId"])
            fisher[index, index] += float(row["objectivePriorParameters"].split(";")[1]) ** -2
    covariance = np.linalg.inv(fisher)
    deviations = np.sqrt(np.diag(covariance))
    print(f"{len(sigmas)} measurements\nparameter     sd (decades)  factor  correlates most with")
    correlation = np.abs(covariance / np.outer(deviations, deviations)) - np.eye(len(names))
    for index, name in enumerate(names):
        partner = int(np.argmax(correlation[index]))
        print(f"{name:12}  {deviations[index]:12.3f}  {10 ** deviations[index]:6.2f}  "
              f"{names[partner]} ({correlation[index, partner]:.2f})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=FOLDER / "measurements.tsv")
    parser.add_argument("--fisher", action="store_true", help="print how well each parameter is determined")
    options = parser.parse_args()
    rows = read_table("parameters.tsv")
    truth = {row["parameterId"]: float(row["nominalValue"]) for row in rows}
    if options.fisher:
        print_fisher(truth, rows)
    else:
        write_measurements(truth, options.output)


if __name__ == "__main__":
    main()
