#include <gtest/gtest.h>

#include "parallel/session.hpp"

using kinetune::parallel::MpiSession;

namespace {
MpiSession* session = nullptr;
constexpr std::size_t largest_part = 1 << 20;  // so that tests have messages of several parts
}  // namespace

MpiSession& test_session() { return *session; }

/// OpenMPI leaves memory to the operating system and unloads the libraries by whose names it could be
/// forgiven.
extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }

int main(int argc, char** argv) {
  MpiSession mpi(argc, argv, largest_part);
  session = &mpi;
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
