#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "store/batch.hpp"

namespace kinetune::generate {

/// What a parameter is in its model. A network may treat the kinds differently.
enum class ParameterKind : std::int8_t { rate, scaling, noise, initial_value };

/// Whether the objective could be evaluated.
enum class Outcome : std::int8_t { evaluated, failed };

/// What a model learns from: vectors that were evaluated, in the order of evaluation.
struct DataSet {
  std::vector<std::string> parameter_ids;  ///< (n_x)
  std::vector<ParameterKind> kinds;        ///< (n_x)
  std::vector<double> x;                   ///< (n, n_x), row-major, unit box of the optimisation scale
  std::vector<double> fval;                ///< (n), NaN or infinity where the evaluation failed
  std::vector<Outcome> outcome;            ///< (n)
  std::vector<std::uint64_t> run;          ///< (n) the local optimisation that the point belongs to
  std::vector<double> label;  ///< (n) in [0, 1], or empty: labels then follow from fval (labels.hpp)

  std::size_t n_x() const { return parameter_ids.size(); }
  std::size_t size() const { return fval.size(); }
  std::span<const double> point(std::size_t i) const { return {x.data() + i * n_x(), n_x()}; }
  std::size_t n_evaluated() const;
};

/// Marks points whose fval is NaN or +infinity as failed, then refuses what no model can learn from.
/// @param file  named in the message
/// @throws core::Error when there is no point or no evaluated one, a value is outside the unit box or not a
///         number, an fval is -infinity, or columns differ in length
void check(DataSet&, const std::string& file);

/// Reads a training set, or the starts, iterates and results of a run file (scaled to the unit box by the
/// problem's bounds). The result is checked. @throws core::Error
DataSet read_data(const std::filesystem::path&);

/// A training set: the groups /parameters (id, kind) and /points (x, fval, outcome, run and, where the data
/// have them, label); see docs/formats.md.
store::Batch data_batch(const DataSet&);
/// Replaces the file. @throws core::Error
void write_data(const std::filesystem::path&, const DataSet&);

/// Rows of a data set.
struct Split {
  std::vector<std::size_t> train, validation;
};

/// Whole runs go to one side or the other, drawn from the seed until validation holds its share of points. At
/// least one run is for training; of a single run, nothing is left for validation.
Split split_by_run(const DataSet&, double validation_share, std::uint64_t seed);

/// Those rows alone.
DataSet subset(const DataSet&, std::span<const std::size_t> rows);

/// Weights of points, mean 1: proportional to (points of its run among these)^-evenness. 0: all points are
/// equal; 1: all runs are.
std::vector<double> run_weights(const DataSet&, std::span<const std::size_t> rows, double evenness);

/// Changes with any number in the data.
std::string fingerprint(const DataSet&);

}  // namespace kinetune::generate
