// SPDX-License-Identifier: Apache-2.0
// Uses callscope/span.hpp in two translation units, as a program of a user would.
#include "callscope/span.hpp"

int second(int value);

namespace {

struct Request {
  callscope::Span span{"request"};  // as long as the object
  int value = 0;
};

}  // namespace

int main(int argc, char**) {
  const callscope::Span whole("whole");
  int sum = 0;
  for (int i = 0; i < argc; ++i) {
    const callscope::Span inner("inner");
    Request request;
    request.value = i;
    sum += second(request.value);
  }
  return sum == argc * (argc - 1) / 2 ? 0 : 1;
}
