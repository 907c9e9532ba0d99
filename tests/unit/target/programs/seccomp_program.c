// SPDX-License-Identifier: Apache-2.0
// Installs a filter that allows everything, says so on standard output, waits for input to end.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(void) {
  struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  struct sock_fprog program = {.len = 1, .filter = allow};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return 1;
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) return 1;
  char byte = 'x';
  if (write(STDOUT_FILENO, &byte, 1) != 1) return 1;
  return (int)read(STDIN_FILENO, &byte, 1);
}
