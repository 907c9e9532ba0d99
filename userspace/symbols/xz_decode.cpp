// SPDX-License-Identifier: Apache-2.0
#include "symbols/xz_decode.hpp"

#include <lzma.h>

#include <algorithm>

namespace callscope {
namespace {

// The presets need at most 65 MiB to decode (xz -9); more is not made for small symbol tables.
constexpr std::uint64_t kMaxDecoderBytes = 128U << 20;

class Decoder {
 public:
  Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() { lzma_end(&stream); }

  lzma_stream stream = LZMA_STREAM_INIT;
};

}  // namespace

Result<std::vector<std::uint8_t>> xz_decode(ByteSpan packed, std::size_t max_bytes) {
  Decoder decoder;
  lzma_stream& stream = decoder.stream;
  if (lzma_stream_decoder(&stream, kMaxDecoderBytes, 0) != LZMA_OK)
    return fail(ErrorCode::kInternal, "cannot set up the xz decoder");
  stream.next_in = packed.data();
  stream.avail_in = packed.size();
  std::vector<std::uint8_t> out;
  lzma_ret status = LZMA_OK;
  while (status == LZMA_OK) {
    const std::size_t done = out.size();
    if (done == max_bytes) return fail(ErrorCode::kCorrupt, "xz data unpacks to too many bytes");
    out.resize(std::min(max_bytes, std::max<std::size_t>(done * 2, packed.size() * 4 + 4096)));
    stream.next_out = out.data() + done;
    stream.avail_out = out.size() - done;
    status = lzma_code(&stream, LZMA_FINISH);
    out.resize(out.size() - stream.avail_out);
  }
  if (status != LZMA_STREAM_END) return fail(ErrorCode::kCorrupt, "xz data is damaged");
  return out;
}

}  // namespace callscope
