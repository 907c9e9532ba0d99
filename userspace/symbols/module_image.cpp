// SPDX-License-Identifier: Apache-2.0
#include "symbols/module_image.hpp"

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

}  // namespace callscope
