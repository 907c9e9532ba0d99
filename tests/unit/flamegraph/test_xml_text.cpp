// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "flamegraph/xml_text.hpp"

using callscope::clean_text;
using callscope::fit_text;
using callscope::xml_escape;

TEST_CASE("text that is no XML is replaced, good UTF-8 stays", "[unit]") {
  CHECK(clean_text("na\u00efve \u65e5\u672c \U0001f525") == "na\u00efve \u65e5\u672c \U0001f525");
  CHECK(clean_text("a\tb\nc\rd") == "a b c d");
  CHECK(clean_text("\x01"
                   "a\x1b\x7f") == "\ufffda\ufffd\ufffd");
  CHECK(clean_text(std::string_view("a\0b", 3)) == "a\ufffdb");
  CHECK(clean_text("\xff\xfe") == "\ufffd\ufffd");
  CHECK(clean_text("\xc0\xaf") == "\ufffd\ufffd");                      // overlong '/'
  CHECK(clean_text("\xed\xa0\x80") == "\ufffd\ufffd\ufffd");            // surrogate
  CHECK(clean_text("\xf4\x90\x80\x80") == "\ufffd\ufffd\ufffd\ufffd");  // above U+10FFFF
  CHECK(clean_text("\xe2\x82") == "\ufffd\ufffd");                      // truncated
  CHECK(clean_text("\xef\xbf\xbf") == "\ufffd");                        // U+FFFF
  CHECK(clean_text("\xe2\x80\xae"
                   "abc") ==
        "\ufffd"
        "abc");  // right-to-left override
}

TEST_CASE("markup characters are escaped", "[unit]") {
  CHECK(xml_escape("<a b=\"c\" d='e'>&amp;]]>") ==
        "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;amp;]]&gt;");
}

TEST_CASE("labels are cut at a character with an ellipsis", "[unit]") {
  CHECK(fit_text("malloc", 6) == "malloc");
  CHECK(fit_text("malloc", 5) == "mall\u2026");
  CHECK(fit_text("malloc", 3) == "ma\u2026");
  CHECK(fit_text("malloc", 2).empty());
  CHECK(fit_text("ab", 2) == "ab");
  CHECK(fit_text("", 0).empty());
  CHECK(fit_text("\u00e9\u00e9\u00e9\u00e9", 3) == "\u00e9\u00e9\u2026");
  CHECK(fit_text("\u65e5\u672c\u8a9e", 5) == "\u65e5\u672c\u2026");
  CHECK(fit_text("\u65e5\u672c\u8a9e", 6) == "\u65e5\u672c\u8a9e");
}
