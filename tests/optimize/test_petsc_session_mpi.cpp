#include <cstdlib>

#include <gtest/gtest.h>
#include <mpi.h>

#include "optimize/local.hpp"
#include "optimize/petsc_session.hpp"
#include "optimize/problems.hpp"

using namespace kinetune::optimize;

TEST(PetscSession, lets_each_rank_minimise_alone_under_an_mpi_of_ours) {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);

  {
    const PetscSession session;
    for (int start = 0; start < rank + 1;
         ++start) {  // another number of starts on each rank: nothing is collective
      LeastSquares problem({-2, -2}, {2, 2}, rosenbrock);
      EXPECT_LT(minimize(problem, std::vector{-1.2, 1.0}, {.method = Method::bntr}).value().fval, 1e-8);
    }
  }

  int ranks_after = 0, one = 1, n_ranks = 0;
  MPI_Comm_size(MPI_COMM_WORLD, &n_ranks);
  MPI_Allreduce(&one, &ranks_after, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);  // MPI outlives PETSc
  EXPECT_EQ(ranks_after, n_ranks);
}

int main(int argc, char** argv) {
  int provided = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
  testing::InitGoogleTest(&argc, argv);
  const int failed = RUN_ALL_TESTS();
  MPI_Finalize();
  return failed;
}
