#pragma once

namespace kinetune::optimize {

/// PETSc, ready for use between construction and destruction; local minimisation needs one. A process makes
/// one, once, on the thread that minimises.
///
/// Everything here runs on one rank alone, so ranks may come and go as they like. MPI may be initialised
/// before (at any thread level) and must then be finalised after; otherwise PETSc does both. PETSc gets no
/// signal handlers, sees nothing of the command line and prints no errors: it returns them.
class PetscSession {
 public:
  /// @throws core::Error when PETSc cannot be initialised
  PetscSession();
  ~PetscSession();
  PetscSession(const PetscSession&) = delete;
  PetscSession& operator=(const PetscSession&) = delete;
};

}  // namespace kinetune::optimize
