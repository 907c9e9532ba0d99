// SPDX-License-Identifier: Apache-2.0
#include "symbols/module_image.hpp"

#include <fmt/format.h>

namespace callscope {

Result<ModuleImage> ModuleImage::from_file(MappedFile file) {
  Result<ElfImage> image = ElfImage::parse(file.bytes());
  if (!image) return std::unexpected(image.error());
  return ModuleImage(std::move(file), std::move(*image));
}

Result<ModuleImage> ModuleImage::from_memory(std::vector<std::uint8_t> bytes) {
  Result<ElfImage> image = ElfImage::parse(bytes);
  if (!image) return std::unexpected(image.error());
  return ModuleImage(std::move(bytes), std::move(*image));
}

Result<ModuleImage> ModuleImage::open(const std::string& path) {
  Result<MappedFile> file = MappedFile::open(path);
  if (!file) return std::unexpected(file.error());
  Result<ModuleImage> image = from_file(std::move(*file));
  if (!image) image.error().what = path + ": " + image.error().what;
  return image;
}

std::string ModuleImage::lasting_path() const {
  constexpr std::uintptr_t kPageMask = 4095;
  const auto* const file = std::get_if<MappedFile>(&bytes_);
  if (file == nullptr) return {};
  const auto start = reinterpret_cast<std::uintptr_t>(file->bytes().data());
  const std::uintptr_t end = (start + file->bytes().size() + kPageMask) & ~kPageMask;
  return fmt::format("/proc/self/map_files/{:x}-{:x}", start, end);
}

}  // namespace callscope
