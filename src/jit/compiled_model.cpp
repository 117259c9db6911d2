#include "jit/compiled_model.hpp"

#include <fmt/format.h>
#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/Support/TargetSelect.h>

#include "core/error.hpp"
#include "jit/emit.hpp"
#include "jit/lane_kernels.hpp"
#include "jit/vector_maths.hpp"

namespace kinetune::jit {
namespace {

template <class T>
T checked(llvm::Expected<T> result) {
  if (!result)
    throw core::Error({}, "compiled model cannot be loaded: " + llvm::toString(result.takeError()));
  return std::move(*result);
}

void check(llvm::Error error) {
  if (error) throw core::Error({}, "compiled model cannot be loaded: " + llvm::toString(std::move(error)));
}

}  // namespace

struct CompiledModel::Library {
  std::unique_ptr<llvm::orc::LLJIT> jit;

  explicit Library(const std::vector<std::string>& objects) {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    jit = checked(llvm::orc::LLJITBuilder().create());
    // exp, log, pow come from this process
    jit->getMainJITDylib().addGenerator(
        checked(llvm::orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(
            jit->getDataLayout().getGlobalPrefix())));
    if (const char* vector_maths = vector_maths_library()) {
      jit->getMainJITDylib().addGenerator(checked(llvm::orc::DynamicLibrarySearchGenerator::Load(
          vector_maths, jit->getDataLayout().getGlobalPrefix())));
    }
    for (const std::string& object : objects) {
      check(jit->addObjectFile(llvm::MemoryBuffer::getMemBufferCopy(object, "kinetune")));
    }
  }

  template <class Function = Kernel>
  Function find(const std::string& name) {
    return llvm::jitTargetAddressToFunction<Function>(checked(jit->lookup(name)).getAddress());
  }
};

CompiledModel::CompiledModel(ModelCode code) : code_(std::move(code)) {
  if (code_.cpu != host_cpu()) {
    throw core::Error({}, "the model was compiled for another processor than this node's",
                      "run on nodes of one kind, or start from a node like this one");
  }
  library_ = std::make_unique<Library>(code_.objects);
  prelude_ = library_->find("prelude");
  initials_ = library_->find("initials");
  initials_by_parameter_ = library_->find("initials_by_parameter");
  rates_ = library_->find("rates");
  jacobian_ = library_->find("jacobian");
  rates_by_parameter_ = library_->find("rates_by_parameter");
  rates_and_derivatives_ = library_->find("rates_and_derivatives");
  outputs_ = library_->find("outputs");
  switch_arguments_ = library_->find("switch_arguments");
  switch_slopes_ = library_->find("switch_slopes");
  switch_derivatives_ = library_->find("switch_derivatives");
  phases_ = library_->find("phases");
  constraints_ = library_->find("constraints");
  constraint_derivatives_ = library_->find("constraint_derivatives");
  triggers_ = library_->find("triggers");
  lags_ = library_->find("lags");
  delayed_values_ = library_->find("delayed_values");
  delayed_values_before_ = library_->find("delayed_values_before");
  if (code_.curvature.is_present) {
    rates_by_time_ = library_->find("rates_by_time");
    second_derivatives_ = library_->find("second_derivatives");
    const auto find = [&](const std::string& name) {
      return RateKernels::Kernel{.of_one = library_->find(name)};
    };
    of_one_point_ = rate_kernels(1, find);
  }
  if (code_.lanes > 1) {
    const auto find = [&](const std::string& name) {
      return RateKernels::Kernel{.of_several = library_->find<RateKernels::OfSeveral>(lane_name(name))};
    };
    of_lanes_ = rate_kernels(code_.lanes, find);
  }
  for (std::size_t i = 0; i < code_.events.size(); ++i) {
    events_.push_back(library_->find(fmt::format("event_{}", i)));
    if (n_differentiated() > 0)
      event_derivatives_.push_back(library_->find(fmt::format("event_derivatives_{}", i)));
  }
  for (std::size_t i = 0; i < code_.observables.size(); ++i) {
    observables_.push_back(library_->find(fmt::format("observable_{}", i)));
    observable_derivatives_.push_back(library_->find(fmt::format("observable_derivatives_{}", i)));
  }
}

RateKernels CompiledModel::rate_kernels(int width, const auto& find) const {
  RateKernels kernels;
  kernels.width_ = width;
  kernels.rates_ = find("rates");
  kernels.jacobian_ = find("jacobian");
  kernels.rates_and_derivatives_ = find("rates_and_derivatives");
  kernels.rates_by_time_ = find("rates_by_time");
  kernels.second_derivatives_ = find("second_derivatives");
  kernels.has_lu_ = code_.has_lu;
  if (!code_.has_lu) return kernels;
  kernels.factor_ = find("lu_factor");
  kernels.solve_ = find("lu_solve");
  kernels.solve_transposed_ = find("lu_solve_transposed");
  return kernels;
}

void CompiledModel::set_switches(double t, const double* x, double* prelude) const {
  const std::size_t n = code_.switches.size();
  std::vector<double> arguments(n);
  double* values = prelude + code_.first_switch();
  // A switch may look at those before it: each pass settles at least one more.
  for (std::size_t pass = 0; pass < n; ++pass) {
    switch_arguments(t, x, prelude, arguments.data());
    for (std::size_t k = 0; k < n; ++k) values[k] = code_.switches[k].value(arguments[k]);
  }
}

CompiledModel::~CompiledModel() = default;
CompiledModel::CompiledModel(CompiledModel&&) noexcept = default;
CompiledModel& CompiledModel::operator=(CompiledModel&&) noexcept = default;

}  // namespace kinetune::jit
