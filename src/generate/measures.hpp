#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "generate/generator.hpp"
#include "store/batch.hpp"

namespace kinetune::generate {

/// How well two series of numbers agree.
struct Agreement {
  double rmse, pearson, spearman;  ///< the correlations are NaN where a series is constant
};
Agreement agreement(std::span<const double> a, std::span<const double> b);

/// From each of the points (n, n_x) to the nearest of others (m, n_x), (n): root mean square over parameters,
/// in widths of the unit box. @param skip_self  whether point i itself is among the others, as other i
enum class Self { absent, skip };
std::vector<double> nearest_distances(std::span<const double> points, std::span<const double> others,
                                      std::size_t n_x, Self = Self::absent);

/// Share of real points (n, n_x) with a generated one nearer than their fifth nearest real neighbour
/// (coverage, Naeem et al., ICML 2020).
double coverage(std::span<const double> real, std::span<const double> generated, std::size_t n_x);

/// Energy score of a forecast by samples, when x (n_x) came (Gneiting and Raftery 2007, eq. 21): the mean
/// distance of samples from x less half their mean distance from each other. Its expectation is lowest for
/// the distribution that x is of: not for one that is too wide, too narrow or elsewhere. Without bias.
/// @param a,b  (m, n_x) each, samples that were drawn independently of each other
/// @param unit  (n_x), of each parameter; 0 leaves it out. Distances are root mean squares over parameters.
double energy_score(std::span<const double> x, std::span<const double> a, std::span<const double> b,
                    std::span<const double> unit);

/// What a model makes of its data. Where something cannot be measured, the numbers are NaN or the vectors
/// empty.
struct Measures {
  bool on_held_out = false;    ///< whether reconstruction and latent are of points held out; else of training
  Agreement reconstruction{};  ///< over all parameters
  std::vector<Agreement> by_parameter;  ///< (n_x)
  std::size_t n_latent = 0;
  std::vector<double> divergence;  ///< (n_latent) mean KL, nats
  std::uint64_t active_units =
      0;                       ///< latents whose posterior mean varies by more than 0.01 (Burda et al. 2016)
  std::vector<double> latent;  ///< (n, n_latent)
  std::vector<double> latent_label;                              ///< (n)
  std::vector<double> generated;                                 ///< (m, n_x) at label 0
  std::vector<double> generated_to_training, generated_to_best;  ///< (m) distances; best: its best quarter
  std::vector<double> held_out_to_training;  ///< of held-out points among the best quarter; of all if none is
  double coverage = 0;                       ///< of the best quarter by generated vectors
};

/// Draws its samples from a stream of the model's seed; at most 2000 points of each kind are looked at.
/// @param data  what the model was trained on
Measures measure(Generator&, const DataSet& data);

/// Under /measures.
void add_measures(store::Batch&, const Measures&, std::size_t n_x);
/// The main numbers, a line each.
std::string to_text(const Measures&);

}  // namespace kinetune::generate
