// SPDX-License-Identifier: Apache-2.0
// A library whose constructor leaves a mark in the file named by CONSTRUCTOR_LOG.
#include <stdio.h>
#include <stdlib.h>

void log_line(const char* line) {
  const char* path = getenv("CONSTRUCTOR_LOG");
  FILE* file = path != NULL ? fopen(path, "a") : NULL;
  if (file == NULL) exit(99);
  fputs(line, file);
  fclose(file);
}

__attribute__((constructor)) static void announce(void) { log_line("constructor\n"); }
