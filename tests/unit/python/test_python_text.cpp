// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "python/python_text.hpp"

using callscope::python_text;
using Bytes = std::vector<std::uint8_t>;

TEST_CASE("strings of all three widths become UTF-8", "[unit]") {
  CHECK(python_text({4, 1}, Bytes{'m', 'a', 'i', 'n', 0, 0}) == "main");
  CHECK(python_text({2, 1}, Bytes{0xe9, 'x'}) == "\u00e9x");  // Latin-1
  CHECK(python_text({2, 2}, Bytes{0xb2, 0x03, 'x', 0}) == "\u03b2x");
  CHECK(python_text({1, 4}, Bytes{0x40, 0xf6, 0x01, 0x00}) == "\U0001f640");
  CHECK(python_text({0, 1}, Bytes{'x'}).empty());
}

TEST_CASE("strings that were cut or not read say so", "[unit]") {
  CHECK(python_text({6, 1}, Bytes{'m', 'a', 'i', 'n'}) == "main...");
  CHECK(python_text({3, 2}, Bytes{'a', 0, 'b', 0, 'c'}) == "ab...");
  CHECK(python_text({4, 0}, Bytes{'m', 'a', 'i', 'n'}).empty());
  CHECK(python_text({4, 3}, Bytes{'m', 'a', 'i', 'n'}).empty());
  // A surrogate, and more than Unicode has.
  CHECK(python_text({1, 2}, Bytes{0x00, 0xd8}) == "\ufffd");
  CHECK(python_text({1, 4}, Bytes{0xff, 0xff, 0xff, 0xff}) == "\ufffd");
}
