#include "jit/lane_kernels.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace kinetune::jit {
namespace {

constexpr std::array<std::string_view, 5> of_steps{"rates", "jacobian", "rates_and_derivatives",
                                                   "rates_by_time", "second_derivatives"};

}  // namespace

std::string lane_name(const std::string& kernel) { return kernel + ".lanes"; }

void add_lane_kernels(int lanes, ModelCode& code, KernelSet& set) {
  if (!code.curvature.is_present || !code.switches.empty() || !code.events.empty() || code.n_delays > 0)
    return;
  const std::size_t n = set.kernels.size();
  for (std::size_t i = 0; i < n; ++i) {
    if (std::ranges::find(of_steps, set.kernels[i].name) == of_steps.end()) continue;
    Kernel kernel = set.kernels[i];
    kernel.name = lane_name(kernel.name);
    kernel.width = lanes;
    set.kernels.push_back(std::move(kernel));
  }
  code.lanes = lanes;
}

}  // namespace kinetune::jit
