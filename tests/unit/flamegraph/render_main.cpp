// SPDX-License-Identifier: Apache-2.0
// flamegraph_render TITLE < FOLDED > SVG: the library behind a pipe, for tests that look at the
// picture with other programs.
#include <iostream>
#include <iterator>
#include <string>

#include "flamegraph/folded.hpp"
#include "flamegraph/svg.hpp"
#include "flamegraph/tree.hpp"

int main(int argc, char** argv) {
  const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
  const auto stacks = callscope::parse_folded(text);
  if (!stacks) {
    std::cerr << stacks.error().message() << '\n';
    return 1;
  }
  callscope::SvgOptions options;
  if (argc > 1) options.title = argv[1];
  std::cout << callscope::render_svg(callscope::FrameTree::build(*stacks), options);
  return std::cout.flush() ? 0 : 1;
}
