// SPDX-License-Identifier: Apache-2.0
// t_dlopen LIBRARY: obeys commands on stdin, one a line, and answers each with one line: "load" or
// "load OTHER-LIBRARY", "call N" (plugin_work, which calls plugin_helper twice), "unload", "quit"
// (or EOF). Prints "ready" first when run with --wait; stdin carries commands, not the single byte.
// Truth: the calls, and how many loads were not at the address of the first.
#include <dlfcn.h>
#include <link.h>

#include "target.h"

static uint64_t work_calls, moved;

// Leaves plugin_work in *work.
static void* load(const char* path, uint64_t (**work)(void)) {
  static ElfW(Addr) first;
  void* const library = dlopen(path, RTLD_NOW);
  tgt_require(library != NULL, "the library cannot be loaded");
  *(void**)work = dlsym(library, "plugin_work");
  tgt_require(*work != NULL, "the library has no plugin_work");
  const ElfW(Addr) base = ((const struct link_map*)library)->l_addr;
  if (first == 0) first = base;
  if (base != first) ++moved;
  return library;
}

static void call(uint64_t (*work)(void), uint64_t count) {
  tgt_require(work != NULL, "call before load");
  for (uint64_t i = 0; i < count; ++i) work();
  work_calls += count;
}

int main(int argc, char** argv) {
  const struct tgt_options options = tgt_parse(&argc, argv);
  void* library = NULL;
  uint64_t (*work)(void) = NULL;
  char line[4096];
  tgt_require(argc == 2, "usage: t_dlopen LIBRARY");
  if (options.wait) puts("ready");
  fflush(stdout);
  while (fgets(line, sizeof(line), stdin) != NULL && strcmp(line, "quit\n") != 0) {
    if (strcmp(line, "load\n") == 0) {
      library = load(argv[1], &work);
      puts("loaded");
    } else if (strncmp(line, "load ", 5) == 0) {
      line[strcspn(line, "\n")] = '\0';
      library = load(line + 5, &work);
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
  tgt_emit("moved", "loads", moved);
  tgt_done(options);
  return 0;
}
