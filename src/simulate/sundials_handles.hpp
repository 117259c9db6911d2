#pragma once

#include "core/unique_handle.hpp"

struct _SUNContext;
struct _generic_N_Vector;
struct _generic_SUNMatrix;
struct _generic_SUNLinearSolver;
struct _generic_SUNNonlinearSolver;

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
void SundialsPolicy<_generic_SUNNonlinearSolver*>::destroy(_generic_SUNNonlinearSolver*) noexcept;
template <>
void SundialsPolicy<void*>::destroy(void*) noexcept;

using UniqueContext = core::UniqueHandle<SundialsPolicy<_SUNContext*>>;
using UniqueVector = core::UniqueHandle<SundialsPolicy<_generic_N_Vector*>>;
using UniqueMatrix = core::UniqueHandle<SundialsPolicy<_generic_SUNMatrix*>>;
using UniqueLinearSolver = core::UniqueHandle<SundialsPolicy<_generic_SUNLinearSolver*>>;
using UniqueNonlinearSolver = core::UniqueHandle<SundialsPolicy<_generic_SUNNonlinearSolver*>>;
using UniqueCvode = core::UniqueHandle<SundialsPolicy<void*>>;

}  // namespace kinetune::simulate
