#pragma once

#include "core/random.hpp"
#include "sample/design.hpp"

// The constructions behind make_design, one a source file. Each throws core::Error when it cannot make that
// many points, and says which number it can.
namespace kinetune::sample {

/// A uniformly random order of 0 … n-1 (Fisher and Yates).
std::vector<std::uint32_t> random_order(std::uint32_t n, core::RandomStream);
/// What the strata of a dimension are ordered by.
core::RandomStream stratum_stream(const Block&, std::size_t dimension);

/// In each dimension, each start somewhere in its stratum of the n that there are.
/// @param strata  (dimension, n)
std::unique_ptr<const Design> make_stratified(const Block&, std::vector<std::vector<std::uint32_t>> strata);

/// A Latin hypercube whose closest points are moved apart by exchanging strata (Morris and Mitchell 1995,
/// doi:10.1016/0378-3758(94)00035-T).
std::unique_ptr<const Design> make_maximin(const Block&, std::size_t dimension);

/// Sobol's sequence with Joe and Kuo's direction numbers (2008, doi:10.1137/070709359), its digits scrambled
/// as by Owen (1995, doi:10.1007/978-1-4612-2552-2_19). Blocks go on where the one before ended.
std::unique_ptr<const Design> make_sobol(const Block&, std::size_t dimension);

/// n = s^dimension points: one in each cell of the grid of s^dimension, and in each dimension one in each of
/// n strata (multi-jittered: Chiu et al. 1994, doi:10.1016/B978-0-12-336156-1.50045-8; correlated, in any
/// dimension: Jarosz et al. 2019, doi:10.1111/cgf.13777). Otherwise n = p^2 points, p a prime not less than
/// dimension - 1: in each pair of dimensions one in each of p^2 cells, by Bose's orthogonal array (1938), and
/// in each dimension one in each of n strata (Tang 1993, doi:10.1080/01621459.1993.10476423).
std::unique_ptr<const Design> make_multi_jittered(const Block&, std::size_t dimension);

}  // namespace kinetune::sample
