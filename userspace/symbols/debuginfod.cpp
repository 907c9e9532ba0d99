// SPDX-License-Identifier: Apache-2.0
#include "symbols/debuginfod.hpp"

#include <dlfcn.h>
#include <elfutils/debuginfod.h>

#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "sys/clock.hpp"
#include "sys/fd.hpp"

namespace callscope {

struct Debuginfod::Library {
  decltype(&::debuginfod_begin) begin = nullptr;
  decltype(&::debuginfod_end) end = nullptr;
  decltype(&::debuginfod_find_debuginfo) find_debuginfo = nullptr;
  decltype(&::debuginfod_set_progressfn) set_progressfn = nullptr;
  decltype(&::debuginfod_set_user_data) set_user_data = nullptr;
  decltype(&::debuginfod_get_user_data) get_user_data = nullptr;
};

namespace {

template <typename Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

}  // namespace

const Debuginfod::Library* Debuginfod::load() {
  // Linked in it would cost every start of callscope the loading of curl, TLS and Kerberos.
  static Library functions;
  static const bool complete = [] {
    void* const library = ::dlopen("libdebuginfod.so.1", RTLD_NOW | RTLD_LOCAL);
    return library != nullptr && find(library, "debuginfod_begin", functions.begin) &&
           find(library, "debuginfod_end", functions.end) &&
           find(library, "debuginfod_find_debuginfo", functions.find_debuginfo) &&
           find(library, "debuginfod_set_progressfn", functions.set_progressfn) &&
           find(library, "debuginfod_set_user_data", functions.set_user_data) &&
           find(library, "debuginfod_get_user_data", functions.get_user_data);
  }();
  return complete ? &functions : nullptr;
}

void Debuginfod::End::operator()(debuginfod_client* client) const { library->end(client); }

Debuginfod::Debuginfod(const Library& library, std::uint64_t deadline_ns)
    : library_(&library),
      deadline_ns_(std::make_unique<std::uint64_t>(deadline_ns)),
      client_(library.begin(), End{&library}) {
  if (!client_) return;
  library.set_user_data(client_.get(), deadline_ns_.get());
  library.set_progressfn(client_.get(), &Debuginfod::on_progress);
}

// Called about once a second, also while no server answers; not 0 ends the fetch.
int Debuginfod::on_progress(debuginfod_client* client, long, long) {
  const auto* const deadline_ns = static_cast<const std::uint64_t*>(load()->get_user_data(client));
  return monotonic_ns() > *deadline_ns ? 1 : 0;
}

Result<std::optional<Debuginfod>> Debuginfod::from_environment(std::uint64_t deadline_ns) {
  const char* const urls = std::getenv(DEBUGINFOD_URLS_ENV_VAR);
  if (urls == nullptr || std::string_view(urls).find_first_not_of(' ') == std::string_view::npos)
    return std::nullopt;
  const Library* const library = load();
  if (library == nullptr)
    return fail(ErrorCode::kUnsupported, "DEBUGINFOD_URLS is set, but there is no libdebuginfod",
                "install libdebuginfod1");
  Debuginfod server(*library, deadline_ns);
  if (!server.client_) return fail(ErrorCode::kInternal, "libdebuginfod does not start");
  return std::optional<Debuginfod>(std::move(server));
}

Result<DebugFile> Debuginfod::fetch(const std::string& build_id) {
  if (monotonic_ns() > *deadline_ns_)
    return fail(ErrorCode::kIo, "the debuginfod servers took too long");
  char* name = nullptr;
  // A length of 0 says that the build-id is text.
  const int fd = library_->find_debuginfo(
      client_.get(), reinterpret_cast<const unsigned char*>(build_id.c_str()), 0, &name);
  const std::unique_ptr<char, decltype(&std::free)> owned_name(name, &std::free);
  // A fetch that on_progress() ended is reported as ENOENT, too.
  if (fd < 0 && monotonic_ns() > *deadline_ns_)
    return fail(ErrorCode::kIo, "the debuginfod servers took too long");
  if (fd == -ENOENT) return fail(ErrorCode::kNotFound, "no debuginfod server has " + build_id);
  if (fd < 0) return fail(ErrorCode::kIo, "debuginfod failed", {}, -fd);
  const Fd owned_fd(fd);
  const std::string path = name == nullptr ? std::string() : name;
  Result<ModuleImage> image = ModuleImage::open(path);
  if (!image) return std::unexpected(image.error());
  if (image->build_id() != build_id)
    return fail(ErrorCode::kCorrupt, "debuginfod sent the file of another build for " + build_id);
  return DebugFile{std::move(*image), path};
}

}  // namespace callscope
