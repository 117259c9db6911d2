#include "jit/lane_kernels.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace kinetune::jit {
namespace {

constexpr std::array<std::string_view, 8> of_steps{
    "rates",     "jacobian", "rates_and_derivatives", "rates_by_time", "second_derivatives",
    "lu_factor", "lu_solve", "lu_solve_transposed"};

// Kernels of more leave their intermediate values, eight of each, on the stack by the megabyte, and arrays of
// such models leave the caches.
constexpr std::size_t most_operations = 20000;

bool is_of_steps(const Kernel& kernel) { return std::ranges::find(of_steps, kernel.name) != of_steps.end(); }

bool is_too_large(const Kernel& kernel) {
  return is_of_steps(kernel) && symbolic::reachable(kernel.results).size() > most_operations;
}

}  // namespace

std::string lane_name(const std::string& kernel) { return kernel + ".lanes"; }

void add_lane_kernels(int lanes, ModelCode& code, KernelSet& set) {
  const bool jumps = !code.switches.empty() || !code.events.empty() || !code.constraints.empty();
  if (!code.curvature.is_present || jumps || code.n_delays > 0) return;
  if (std::ranges::any_of(set.kernels, is_too_large)) return;
  const std::size_t n = set.kernels.size();
  for (std::size_t i = 0; i < n; ++i) {
    if (!is_of_steps(set.kernels[i])) continue;
    Kernel kernel = set.kernels[i];
    kernel.name = lane_name(kernel.name);
    kernel.width = lanes;
    set.kernels.push_back(std::move(kernel));
  }
  code.lanes = lanes;
}

}  // namespace kinetune::jit
