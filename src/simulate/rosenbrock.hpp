#pragma once

#include "simulate/piece_integrator.hpp"

namespace kinetune::simulate {

/// What make_rosenbrock cuts segments into pieces for.
/// @param kept  doubles of stages that a tape holds (64 MiB by default); those of later steps are
///              computed again on the way back
std::unique_ptr<PieceIntegrator> make_rosenbrock_pieces(const jit::CompiledModel&, const IntegratorOptions&,
                                                        std::size_t kept = std::size_t{1} << 23);

}  // namespace kinetune::simulate
