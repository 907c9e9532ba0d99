// SPDX-License-Identifier: Apache-2.0
// Throws through a function and waits for its standard input to end.
#include <unistd.h>

#include <stdexcept>

namespace {
[[gnu::noinline]] void fail_if(bool bad) {
  if (bad) throw std::runtime_error("bad");
}
}  // namespace

int main(int argc, char**) {
  try {
    fail_if(argc > 0);
  } catch (const std::exception&) {
    char byte = 0;
    return static_cast<int>(::read(STDIN_FILENO, &byte, 1));
  }
  return 1;
}
