// SPDX-License-Identifier: Apache-2.0
// A BPF array map (BPF_F_MMAPABLE) seen through mmap: no system call per element. The view must not
// outlive the map's owner. BPF keeps adding to the counters while they are read, so two reads may
// differ; each single counter is consistent. What user space writes, BPF sees at once.
#pragma once

#include <cstddef>
#include <utility>

#include "callscope/error.hpp"

namespace callscope {

class SharedArray {
 public:
  // element_bytes is the value size of the map; the kernel rounds it up to 8. Of a part of the map
  // the elements count from its first one. All that is mapped counts as resident memory of ours.
  static Result<SharedArray> map(int map_fd, std::size_t element_bytes, std::size_t elements,
                                 bool writable = false, std::size_t first = 0);

  SharedArray() = default;
  SharedArray(SharedArray&& other) noexcept { *this = std::move(other); }
  SharedArray& operator=(SharedArray&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(skipped_, other.skipped_);
    std::swap(bytes_, other.bytes_);
    std::swap(stride_, other.stride_);
    return *this;
  }
  SharedArray(const SharedArray&) = delete;
  SharedArray& operator=(const SharedArray&) = delete;
  ~SharedArray();

  // Element index, which must be below the number mapped.
  template <typename T>
  [[nodiscard]] const T& at(std::size_t index) const {
    return *reinterpret_cast<const T*>(static_cast<const std::byte*>(data_) + skipped_ +
                                       index * stride_);
  }
  // The same for an array that was mapped writable.
  template <typename T>
  [[nodiscard]] T& writable_at(std::size_t index) const {
    return *reinterpret_cast<T*>(static_cast<std::byte*>(data_) + skipped_ + index * stride_);
  }

 private:
  void* data_ = nullptr;
  std::size_t skipped_ = 0;  // bytes in front of the first element
  std::size_t bytes_ = 0;
  std::size_t stride_ = 0;
};

}  // namespace callscope
