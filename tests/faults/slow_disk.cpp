// Preloaded into a program, makes each fsync take KINETUNE_FSYNC_SECONDS longer, as a busy file server does.

#include <chrono>
#include <cstdlib>
#include <thread>

#include <dlfcn.h>

extern "C" int fsync(int descriptor) {
  if (const char* seconds = std::getenv("KINETUNE_FSYNC_SECONDS"))
    std::this_thread::sleep_for(std::chrono::duration<double>(std::atof(seconds)));
  static const auto real = reinterpret_cast<int (*)(int)>(dlsym(RTLD_NEXT, "fsync"));
  return real(descriptor);
}
