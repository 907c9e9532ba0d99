// SPDX-License-Identifier: Apache-2.0
// One ELF module together with its bytes: a mapped file, or memory copied from a process or
// unpacked. Owns the bytes, so image() and all views of it live as long as the object; moving it
// keeps them valid. Immutable, thread-safe. Opening fails as MappedFile and ElfImage do.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "elf/elf_image.hpp"
#include "sys/mapped_file.hpp"

namespace callscope {

class ModuleImage {
 public:
  static Result<ModuleImage> open(const std::string& path);
  static Result<ModuleImage> from_file(MappedFile file);
  static Result<ModuleImage> from_memory(std::vector<std::uint8_t> bytes);

  [[nodiscard]] const ElfImage& image() const { return image_; }
  [[nodiscard]] const std::string& build_id() const { return build_id_; }  // hex; empty if none

  // A path by which the kernel finds the very file as long as this lives, whatever becomes of its
  // name and of the processes that map it. Empty: it is no file.
  [[nodiscard]] std::string lasting_path() const;

  // ELF virtual address of what lies at addr in a mapping that starts at start and shows the file
  // from file_off on. nullopt: that part of the file is in no PT_LOAD.
  [[nodiscard]] std::optional<std::uint64_t> runtime_to_vaddr(std::uint64_t addr,
                                                              std::uint64_t start,
                                                              std::uint64_t file_off) const {
    return image_.file_off_to_vaddr(addr - start + file_off);
  }

 private:
  using Bytes = std::variant<MappedFile, std::vector<std::uint8_t>>;
  ModuleImage(Bytes bytes, ElfImage image)
      : bytes_(std::move(bytes)), image_(std::move(image)), build_id_(image_.build_id()) {}

  Bytes bytes_;  // owner of what image_ looks at
  ElfImage image_;
  std::string build_id_;
};

}  // namespace callscope
