// SPDX-License-Identifier: Apache-2.0
#include "cli/word_wrap.hpp"

namespace callscope::cli {

std::string word_wrap(std::string_view text, std::size_t width, std::string_view indent) {
  std::string out;
  while (!text.empty()) {
    std::string_view paragraph = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(paragraph.size() + 1, text.size()));
    if (!out.empty()) out += '\n';
    std::string line(indent);
    bool empty = true;
    while (!paragraph.empty()) {
      const std::string_view word = paragraph.substr(0, paragraph.find(' '));
      paragraph.remove_prefix(std::min(word.size() + 1, paragraph.size()));
      if (!empty && line.size() + 1 + word.size() > width) {
        out += line + '\n';
        line = indent;
        empty = true;
      }
      line += (empty ? "" : " ");
      line += word;
      empty = false;
    }
    out += line;
  }
  return out;
}

}  // namespace callscope::cli
