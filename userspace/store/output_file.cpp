// SPDX-License-Identifier: Apache-2.0
#include "store/output_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "store/file_header.hpp"

namespace callscope::store {
namespace {

constexpr int kNewFileFlags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;

ErrorCode code_of(int error) {
  if (error == ENOENT || error == ENOTDIR) return ErrorCode::kUsage;
  return error == EACCES || error == EPERM ? ErrorCode::kNotPermitted : ErrorCode::kIo;
}

Result<std::string> absolute_path(const std::string& path) {
  const std::filesystem::path given(path);
  if (!given.has_filename()) return fail(ErrorCode::kUsage, "'" + path + "' names no file");
  const std::filesystem::path parent = given.has_parent_path() ? given.parent_path() : ".";
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::canonical(parent, error);
  if (error) {
    return fail(code_of(error.value()), "cannot create " + path,
                "does the folder exist and may you enter it?", error.value());
  }
  return (folder / given.filename()).string();
}

// Is what stands at path ours to replace? Holds the lock of the old file while it is looked at.
Result<void> check_replaceable(const std::string& path, const struct stat& status) {
  if (S_ISLNK(status.st_mode)) {
    return fail(ErrorCode::kUsage, path + " is a symbolic link",
                "recordings are not written through links; name the file itself");
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorCode::kUsage, path + " exists and is not a regular file",
                "choose another name");
  }
  const Fd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file.valid()) {
    const int error = errno;
    return fail(code_of(error), "cannot look at the existing " + path, "choose another name",
                error);
  }
  if (status.st_size > 0) {
    const Result<FileHeader> header = read_file_header(file.get(), path);
    if (!header || !header->is_recording) {
      return fail(ErrorCode::kUsage, path + " exists and is not a callscope recording",
                  "only recordings are replaced; remove it or choose another name");
    }
  }
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    return fail(ErrorCode::kUsage, path + " is being written by another callscope",
                "stop it or choose another name");
  }
  return {};
}

Result<Fd> create_new(const std::string& path, std::optional<FileOwner> owner) {
  Fd file(::open(path.c_str(), kNewFileFlags, 0644));
  if (!file.valid()) {
    const int error = errno;
    return fail(code_of(error), "cannot create " + path, "choose another folder", error);
  }
  if (owner && ::fchown(file.get(), owner->uid, owner->gid) != 0) {
    const int error = errno;
    ::unlink(path.c_str());
    return fail(code_of(error), "cannot give " + path + " to its owner", "", error);
  }
  return file;
}

}  // namespace

Result<OutputFile> create_output_file(const std::string& path, std::optional<FileOwner> owner) {
  Result<std::string> absolute = absolute_path(path);
  if (!absolute) return std::unexpected(absolute.error());
  struct stat status{};
  if (::lstat(absolute->c_str(), &status) == 0) CS_TRY(check_replaceable(*absolute, status));
  CS_TRY(remove_recording(*absolute));
  Result<Fd> file = create_new(*absolute, owner);
  if (!file) return std::unexpected(file.error());
  // Cannot fail on a file that only we know; file systems without flock just lack the mark.
  static_cast<void>(::flock(file->get(), LOCK_EX | LOCK_NB));
  return OutputFile{std::move(*absolute), std::move(*file)};
}

Result<void> create_companion(const std::string& path, std::optional<FileOwner> owner) {
  const Result<Fd> file = create_new(path, owner);
  if (!file) return std::unexpected(file.error());
  return {};
}

Result<void> remove_recording(const std::string& path) {
  constexpr std::array<std::string_view, 4> kSuffixes = {"", "-wal", "-shm", "-journal"};
  for (const std::string_view suffix : kSuffixes) {
    const std::string name = path + std::string(suffix);
    if (::unlink(name.c_str()) == 0 || errno == ENOENT) continue;
    const int error = errno;
    return fail(code_of(error), "cannot remove the existing " + name, "choose another name", error);
  }
  return {};
}

}  // namespace callscope::store
