// SPDX-License-Identifier: Apache-2.0
#include "collect/host.hpp"

#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "sys/read_file.hpp"

namespace callscope {
namespace {

std::string cpu_model() {
  const Result<std::string> text = read_file("/proc/cpuinfo");
  if (!text) return {};
  const std::size_t key = text->find("model name");
  const std::size_t colon = text->find(": ", key);
  if (key == std::string::npos || colon == std::string::npos) return {};
  return text->substr(colon + 2, text->find('\n', colon) - colon - 2);
}

}  // namespace

Host describe_host() {
  Host host;
  utsname names{};
  if (::uname(&names) == 0) {
    host.kernel = names.release;
    host.machine = names.machine;
    host.hostname = names.nodename;
  }
  host.cpu_model = cpu_model();
  const long cpus = ::sysconf(_SC_NPROCESSORS_ONLN);
  host.cpus = cpus > 0 ? static_cast<std::uint32_t>(cpus) : 0;
  struct sysinfo info{};
  if (::sysinfo(&info) == 0) host.memory_bytes = std::uint64_t{info.totalram} * info.mem_unit;
  return host;
}

}  // namespace callscope
