#!/usr/bin/env bash
# Builds SUNDIALS from Debian's source package for this machine's processor, into build/native, where CMake looks first:
# CVODES then takes less time (docs/integrators.md). Needs no root; the system's own package stays as it is.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=$PWD/build/native
work=$target/work
if [[ -e $target/lib/cmake/sundials/SUNDIALSConfig.cmake ]]; then
  echo "setup: a native SUNDIALS is in build/native already"
  exit 0
fi
for program in apt-get dpkg-source cmake ninja; do
  if ! command -v "$program" >/dev/null; then
    echo "setup: a native SUNDIALS needs $program (of Debian's packages apt, dpkg-dev, cmake, ninja-build)" >&2
    exit 1
  fi
done

# Sources of its own, so that the machine's lists of packages stay as they are.
mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
release=$(. /etc/os-release && echo "$VERSION_CODENAME")
echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $release main" \
  >"$work/sources.list"
apt=(apt-get -qq -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null
     -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=)
"${apt[@]}" update
(cd "$work" && "${apt[@]}" source sundials >/dev/null)

echo "setup: building SUNDIALS"
others=()
for part in ARKODE CVODE IDA IDAS KINSOL STATIC_LIBS; do others+=("-DBUILD_$part=OFF"); done
cmake -S "$work"/sundials-*/ -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_C_FLAGS_RELEASE="-O3 -DNDEBUG -march=native" -DBUILD_CVODES=ON "${others[@]}" -DEXAMPLES_ENABLE_C=OFF \
  -DEXAMPLES_INSTALL=OFF -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_INSTALL_PREFIX="$target" >"$work/log" 2>&1 &&
  ninja -C "$work/build" install >>"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; exit 1; }
rm -rf "$work"
echo "setup: SUNDIALS for this processor is in build/native; cmake --preset release takes it from there"
