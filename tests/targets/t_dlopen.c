// SPDX-License-Identifier: Apache-2.0
// t_dlopen LIBRARY: obeys commands on stdin, one a line, and answers each with one line: "load",
// "call N" (plugin_work, which calls plugin_helper twice), "unload", "quit" (or EOF). Prints
// "ready" first when run with --wait; this program's stdin carries commands, not the single byte.
#include <dlfcn.h>

#include "target.h"

static uint64_t work_calls;

static void call(uint64_t (*work)(void), uint64_t count) {
  tgt_require(work != NULL, "call before load");
  for (uint64_t i = 0; i < count; ++i) work();
  work_calls += count;
}

int main(int argc, char** argv) {
  const struct tgt_options options = tgt_parse(&argc, argv);
  void* library = NULL;
  uint64_t (*work)(void) = NULL;
  char line[128];
  tgt_require(argc == 2, "usage: t_dlopen LIBRARY");
  if (options.wait) puts("ready");
  fflush(stdout);
  while (fgets(line, sizeof(line), stdin) != NULL && strcmp(line, "quit\n") != 0) {
    if (strcmp(line, "load\n") == 0) {
      library = dlopen(argv[1], RTLD_NOW);
      tgt_require(library != NULL, "the library cannot be loaded");
      *(void**)&work = dlsym(library, "plugin_work");
      tgt_require(work != NULL, "the library has no plugin_work");
      puts("loaded");
    } else if (strncmp(line, "call ", 5) == 0) {
      call(work, strtoull(line + 5, NULL, 10));
      puts("called");
    } else if (strcmp(line, "unload\n") == 0 && library != NULL) {
      tgt_require(dlclose(library) == 0, "the library cannot be unloaded");
      work = NULL;
      puts("unloaded");
    } else {
      tgt_require(0, "unknown command");
    }
    fflush(stdout);
  }
  tgt_emit("calls", "plugin_work", work_calls);
  tgt_emit("calls", "plugin_helper", 2 * work_calls);
  tgt_done(options);
  return 0;
}
