// SPDX-License-Identifier: Apache-2.0
// fork inside a probed function: the child returns from it, calls child_work and ends; vfork + exec
// inside another; with --exec, an exec in place at the end. With --held a child prints "child PID",
// then "child ready" and waits for a byte before its calls; with --exec-child PROGRAM it executes
// that one with --wait instead. Truth: "calls" are those of the first process before its exec,
// "child_calls" those of all children, "exec_calls" those after the exec.
#include <sys/wait.h>

#include "target.h"

static uint64_t fork_calls, vfork_calls, parent_calls;
static char* self_path;

PROBED pid_t fork_here(void) {
  ++fork_calls;
  return fork();
}

PROBED void child_work(void) { __asm__ volatile("nop"); }

static void work_as_child(uint64_t calls, int held) {
  char byte;
  if (held) {
    printf("child %d\nchild ready\n", (int)getpid());
    fflush(stdout);
    tgt_require(read(STDIN_FILENO, &byte, 1) == 1, "no byte for the child");
  }
  for (uint64_t call = 0; call < calls; ++call) child_work();
  _exit(0);
}

static void execute_as_child(char* program) {
  static char wait[] = "--wait", calls[] = "--calls", sleeps[] = "--sleeps", count[] = "50";
  char* const arguments[] = {program, wait, calls, count, sleeps, count, NULL};
  printf("child %d\n", (int)getpid());
  fflush(stdout);
  execv(program, arguments);
  _exit(127);
}

PROBED void parent_work(void) { ++parent_calls; }

PROBED pid_t vfork_here(void) {
  ++vfork_calls;
  static char after[] = "--leave-at-once";
  char* const arguments[] = {self_path, after, NULL};
  const pid_t pid = vfork();
  if (pid == 0) {
    execv("/proc/self/exe", arguments);
    _exit(127);
  }
  return pid;
}

static void reap(pid_t pid) {
  int status = 0;
  tgt_require(pid > 0, "no child could be made");
  tgt_require(waitpid(pid, &status, 0) == pid && status == 0, "a child did not end well");
}

static void run_after_exec(struct tgt_options options) {
  parent_calls = 0;
  for (int i = 0; i < 7; ++i) parent_work();
  tgt_emit("exec_calls", "parent_work", parent_calls);
  tgt_done(options);
}

// Value of "--exec-child PROGRAM", or NULL.
static char* program_of_child(int argc, char** argv) {
  for (int i = 1; i + 1 < argc; ++i)
    if (strcmp(argv[i], "--exec-child") == 0) return argv[i + 1];
  return NULL;
}

static void exec_in_place(struct tgt_options options) {
  static char after[] = "--after-exec", hold[] = "--hold";
  char* const arguments[] = {self_path, after, options.hold ? hold : NULL, NULL};
  fflush(stdout);
  execv("/proc/self/exe", arguments);
  tgt_require(0, "exec in place failed");
}

int main(int argc, char** argv) {
  const struct tgt_options options = tgt_parse(&argc, argv);
  const uint64_t forks = tgt_number(argc, argv, "--forks", 10);
  const uint64_t child_calls = tgt_number(argc, argv, "--child-calls", 20);
  const int held = tgt_flag(argc, argv, "--held");
  char* const program = program_of_child(argc, argv);
  self_path = argv[0];
  if (tgt_flag(argc, argv, "--leave-at-once")) return 0;
  if (tgt_flag(argc, argv, "--after-exec")) {
    run_after_exec(options);
    return 0;
  }

  tgt_ready(options);
  for (uint64_t i = 0; i < forks; ++i) {
    parent_work();
    const pid_t pid = fork_here();
    if (pid == 0 && program != NULL) execute_as_child(program);
    if (pid == 0) work_as_child(child_calls, held);
    reap(pid);
    reap(vfork_here());
    parent_work();
  }
  tgt_emit("calls", "fork_here", fork_calls);
  tgt_emit("calls", "vfork_here", vfork_calls);
  tgt_emit("calls", "parent_work", parent_calls);
  tgt_emit("calls", "child_work", 0);
  tgt_emit("child_calls", "child_work", program == NULL ? forks * child_calls : 0);
  if (tgt_flag(argc, argv, "--exec")) exec_in_place(options);
  tgt_done(options);
  return 0;
}
