#pragma once

#include "parallel/mpi_session.hpp"

/// The one session of the test program; main.cpp makes it.
kinetune::parallel::MpiSession& test_session();
