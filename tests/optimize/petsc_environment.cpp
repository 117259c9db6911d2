#include <optional>

#include <gtest/gtest.h>

#include "optimize/petsc_session.hpp"

namespace {

/// One session for all tests of the program: PETSc brings MPI up, which can be done once a process.
class PetscEnvironment final : public testing::Environment {
 public:
  void SetUp() override { session_.emplace(); }
  void TearDown() override { session_.reset(); }

 private:
  std::optional<kinetune::optimize::PetscSession> session_;
};

[[maybe_unused]] const auto* const environment = testing::AddGlobalTestEnvironment(new PetscEnvironment);

}  // namespace
