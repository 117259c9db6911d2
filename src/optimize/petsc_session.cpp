#include "optimize/petsc_session.hpp"

#include <string>
#include <vector>

#include <petscsys.h>

#include "core/error.hpp"

namespace kinetune::optimize {

PetscSession::PetscSession() {
  int mpi_is_up = 0;
  MPI_Initialized(&mpi_is_up);
  if (mpi_is_up) PETSC_COMM_WORLD = MPI_COMM_SELF;  // PETSc refuses a world of our choice before MPI is up

  // What PETSc must know before it looks around can be told by a command line only, so it gets one that is
  // not ours.
  std::vector<std::string> words{"kinetune", "-skip_petscrc", "-no_signal_handler"};
  std::vector<char*> pointers;
  for (auto& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  int count = static_cast<int>(words.size());
  char** arguments = pointers.data();
  if (PetscInitialize(&count, &arguments, nullptr, nullptr))
    throw core::Error({}, "PETSc cannot be initialised", "check that its MPI is the one of this program");
  PetscPushErrorHandler(PetscReturnErrorHandler, nullptr);
}

PetscSession::~PetscSession() {
  PetscPopErrorHandler();
  PetscFinalize();
}

}  // namespace kinetune::optimize
