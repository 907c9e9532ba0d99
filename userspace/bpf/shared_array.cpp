// SPDX-License-Identifier: Apache-2.0
#include "bpf/shared_array.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

namespace callscope {

Result<SharedArray> SharedArray::map(int map_fd, std::size_t element_bytes, std::size_t elements,
                                     bool writable, std::size_t first) {
  SharedArray array;
  array.stride_ = (element_bytes + 7) & ~std::size_t{7};
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  array.skipped_ = array.stride_ * first % page;
  const std::size_t from = array.stride_ * first - array.skipped_;
  array.bytes_ = (array.skipped_ + array.stride_ * elements + page - 1) / page * page;
  const int access = writable ? PROT_READ | PROT_WRITE : PROT_READ;
  void* const data =
      ::mmap(nullptr, array.bytes_, access, MAP_SHARED, map_fd, static_cast<off_t>(from));
  if (data == MAP_FAILED) return fail(ErrorCode::kInternal, "cannot map a BPF array", {}, errno);
  array.data_ = data;
  return array;
}

SharedArray::~SharedArray() {
  if (data_ != nullptr) ::munmap(data_, bytes_);
}

}  // namespace callscope
