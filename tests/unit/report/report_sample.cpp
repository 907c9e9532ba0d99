// SPDX-License-Identifier: Apache-2.0
// Prints the JSON report of the sample recording, or of an empty one: input of validate_report.py.
#include <cstdio>
#include <string>
#include <string_view>

#include "report/renderer.hpp"
#include "tests/unit/sample_recording.hpp"

int main(int argc, char** argv) {
  const bool empty = argc > 1 && std::string_view(argv[1]) == "empty";
  const std::string json = callscope::render_json(
      empty ? callscope::Recording{} : callscope::test::sample_recording(), {});
  return std::fwrite(json.data(), 1, json.size(), stdout) == json.size() ? 0 : 1;
}
