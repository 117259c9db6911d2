#pragma once

namespace kinetune::core {

/// CPU time that this thread has used since it began.
double thread_cpu_seconds();

}  // namespace kinetune::core
