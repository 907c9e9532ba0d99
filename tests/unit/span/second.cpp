// SPDX-License-Identifier: Apache-2.0
#include "callscope/span.hpp"

int second(int value);

int second(int value) {
  const callscope::Span span("second");
#ifdef FORGOTTEN_NAME
  callscope::Span("ends at once");
#endif
  return value;
}
