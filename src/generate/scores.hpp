#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include "generate/generator.hpp"

// By which the models of a search are compared.
namespace kinetune::generate {

/// The quality of a trained model, the lower the better; NaN: it cannot be told.
/// @param held_out  evaluated points of runs that the model has not seen, with labels; empty where there are
/// none
using Score = std::function<double(Generator&, const DataSet& held_out)>;

/// Generator::loss of the points, for methods that have a likelihood (cvae, transformer). Comparable among
/// models of one method, likelihood and vector scale.
double held_out_loss(Generator&, const DataSet& held_out);

/// Mean over points (500 at most) of the energy score of samples at the point's own condition, in standard
/// deviations of the points. Comparable among models of any method; it says what samples are like, which
/// neither the losses of a ccgan's players nor a flow's error in coordinates of its own do.
double sample_score(Generator&, const DataSet& held_out);

/// held_out_loss where the method has a likelihood, sample_score elsewhere.
double held_out_score(Generator&, const DataSet& held_out);

/// Median objective of samples at label 0; failures (NaN) count as infinitely bad. Needs no points.
Score sample_quality(std::function<double(std::span<const double> x)> objective, std::size_t n_samples);

}  // namespace kinetune::generate
