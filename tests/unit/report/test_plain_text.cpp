// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "report/plain_text.hpp"

using callscope::cut_end;
using callscope::cut_middle;
using callscope::printable;
using callscope::text_width;

TEST_CASE("escape sequences and broken UTF-8 do not reach the terminal", "[unit]") {
  CHECK(printable("plain text") == "plain text");
  CHECK(printable("a\x1b[31mb\n\t\x7f") == "a?[31mb???");
  CHECK(printable("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x94\xa5") ==
        "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x94\xa5");
  CHECK(printable("\xff\xfe") == "??");
  CHECK(printable("cut \xe2\x82") == "cut ??");
  CHECK(printable("\xc0\xaf") == "??");       // overlong '/'
  CHECK(printable("\xed\xa0\x80") == "???");  // surrogate
  CHECK(printable("\xc2\x9b") == "??");       // C1 control sequence introducer
  CHECK(printable("a\xe2\x80\xae"
                  "b") == "a???b");                // right-to-left override
  CHECK(printable("\xf4\x90\x80\x80") == "????");  // beyond U+10FFFF
}

TEST_CASE("width counts characters, not bytes", "[unit]") {
  CHECK(text_width("abc") == 3);
  CHECK(text_width("gr\xc3\xbc\xc3\x9f") == 4);
  CHECK(text_width("") == 0);
}

TEST_CASE("a cut in the middle keeps both ends and the exact width", "[unit]") {
  CHECK(cut_middle("short", 5) == "short");
  CHECK(cut_middle("abcdefghijklmnopqrstuvwxyz", 13) == "abcd...uvwxyz");
  CHECK(cut_middle("abcdefgh", 3) == "...");
  CHECK(cut_middle("abcdefgh", 0).empty());
  const std::string umlauts = "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f";
  for (std::size_t width = 0; width < 10; ++width) {
    const std::string cut = cut_middle(umlauts, width);
    CHECK(text_width(cut) == std::min<std::size_t>(width, 8));
    CHECK(printable(cut) == cut);
  }
}

TEST_CASE("a cut at the end keeps the start", "[unit]") {
  CHECK(cut_end("short", 5) == "short");
  CHECK(cut_end("abcdefgh", 6) == "abc...");
  CHECK(cut_end("\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\xc3\xa4", 4) == "\xc3\xa4...");
}
