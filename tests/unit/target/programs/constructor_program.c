// SPDX-License-Identifier: Apache-2.0
// Uses constructor_library; exits with 7 so that a test knows it ran to its end.
void log_line(const char* line);

int main(void) {
  log_line("main\n");
  return 7;
}
