#pragma once

#include <vector>

#include "core/unique_handle.hpp"
#include "simulate/integrator.hpp"
#include "simulate/linear_solver.hpp"

struct _SUNContext;
struct _generic_N_Vector;
struct _generic_SUNMatrix;
struct _generic_SUNLinearSolver;

namespace kinetune::simulate {

/// For core::UniqueHandle. CVODES' own handle is a void*.
template <class Handle>
struct SundialsPolicy {
  using type = Handle;
  static type null() noexcept { return nullptr; }
  static void destroy(type) noexcept;
};
template <>
void SundialsPolicy<_SUNContext*>::destroy(_SUNContext*) noexcept;
template <>
void SundialsPolicy<_generic_N_Vector*>::destroy(_generic_N_Vector*) noexcept;
template <>
void SundialsPolicy<_generic_SUNMatrix*>::destroy(_generic_SUNMatrix*) noexcept;
template <>
void SundialsPolicy<_generic_SUNLinearSolver*>::destroy(_generic_SUNLinearSolver*) noexcept;
template <>
void SundialsPolicy<void*>::destroy(void*) noexcept;

using UniqueContext = core::UniqueHandle<SundialsPolicy<_SUNContext*>>;
using UniqueVector = core::UniqueHandle<SundialsPolicy<_generic_N_Vector*>>;
using UniqueMatrix = core::UniqueHandle<SundialsPolicy<_generic_SUNMatrix*>>;
using UniqueLinearSolver = core::UniqueHandle<SundialsPolicy<_generic_SUNLinearSolver*>>;
using UniqueCvode = core::UniqueHandle<SundialsPolicy<void*>>;

/// How a CVODES return code reads to our users.
IntegrationError integration_error(int cvodes_flag);

/// A CVODES instance for the model's states with a fixed number of sensitivities, made once and started anew
/// for each segment.
class CvodesSystem {
 public:
  CvodesSystem(const jit::CompiledModel&, const IntegratorOptions&, int n_sensitivities);
  CvodesSystem(const CvodesSystem&) = delete;
  CvodesSystem& operator=(const CvodesSystem&) = delete;

  /// Takes the values at the segment's start. The segment must live until its end is reached.
  std::expected<void, IntegrationFailure> start(const Segment&, std::span<const double> x,
                                                std::span<const double> sensitivities);

  /// Goes to time t by calling `advance(cvode, t, y)`, which returns a CVODES flag.
  template <class Advance>
  std::expected<void, IntegrationFailure> go_to(double t, Advance&& advance) {
    prepare_step_limit();
    return check(advance(cvode_.get(), t, y_.get()));
  }

  std::span<double> states();
  std::span<double> sensitivities();
  const Segment& segment() const { return *segment_; }
  const jit::CompiledModel& model() const { return model_; }
  void* cvode() const { return cvode_.get(); }
  _SUNContext* context() const { return context_.get(); }
  Statistics take_statistics();

 private:
  static int rates(double t, _generic_N_Vector* y, _generic_N_Vector* derivative, void* system);
  static int jacobian(double t, _generic_N_Vector* y, _generic_N_Vector* derivative, _generic_SUNMatrix*,
                      void* system, _generic_N_Vector*, _generic_N_Vector*, _generic_N_Vector*);
  static int error_weights(_generic_N_Vector* y, _generic_N_Vector* weights, void* system);

  void choose_active();
  void sensitivity_rates(const double* s, double* derivative) const;
  void prepare_step_limit();
  std::expected<void, IntegrationFailure> check(int flag);

  struct Entry {
    int value;   ///< index into rates_by_parameter
    int target;  ///< index into the sensitivities
  };

  const jit::CompiledModel& model_;
  const IntegratorOptions& options_;
  int n_sensitivities_;
  const Segment* segment_ = nullptr;
  std::vector<double> derivatives_;             // of CompiledModel::rates_and_derivatives
  std::vector<Entry> active_entries_;           // of rates_by_parameter, those of active parameters
  std::vector<double> sensitivity_tolerances_;  // (n_sensitivities) absolute
  std::unique_ptr<Factorisation> factors_;
  UniqueContext context_;
  UniqueVector y_;
  UniqueMatrix matrix_;
  UniqueLinearSolver linear_solver_;
  UniqueCvode cvode_;  // last, so that it goes first
  Statistics statistics_;
  long steps_taken_ = 0;  // in this segment
};

}  // namespace kinetune::simulate
