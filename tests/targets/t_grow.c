// SPDX-License-Identifier: Apache-2.0
// A process whose resources are known: it touches --kb-per-second of new memory, holds a fixed
// number of descriptors of each kind and of threads, writes a fixed number of bytes, and says at
// the end what it took. Descriptors and threads are there before the handshake.
#include <fcntl.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "target.h"

enum { kStepMs = 20 };

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void* park(void* unused) {
  pthread_mutex_lock(&gate);
  pthread_mutex_unlock(&gate);
  return unused;
}

static void open_descriptors(uint64_t files, uint64_t socket_pairs, uint64_t pipes,
                             uint64_t events) {
  int pair[2];
  for (uint64_t i = 0; i < files; ++i) {
    tgt_require(open("/proc/self/exe", O_RDONLY | O_CLOEXEC) >= 0, "no file could be opened");
  }
  for (uint64_t i = 0; i < socket_pairs; ++i) {
    tgt_require(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "no socket could be made");
  }
  for (uint64_t i = 0; i < pipes; ++i) tgt_require(pipe(pair) == 0, "no pipe could be made");
  for (uint64_t i = 0; i < events; ++i) tgt_require(eventfd(0, 0) >= 0, "no eventfd could be made");
}

static uint64_t grow(uint64_t run_ms, uint64_t bytes_per_second) {
  const uint64_t steps = run_ms / kStepMs;
  const uint64_t total = bytes_per_second * run_ms / 1000 / 4096 * 4096;
  const uint64_t start = tgt_now_ns();
  uint64_t touched = 0;
  char* memory =
      mmap(NULL, total + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  tgt_require(memory != MAP_FAILED, "out of memory");
  madvise(memory, total + 4096, MADV_NOHUGEPAGE);
  for (uint64_t step = 1; step <= steps; ++step) {
    for (; touched < total * step / steps; touched += 4096) memory[touched] = 1;
    const uint64_t due = start + step * kStepMs * 1000000u;
    const uint64_t now = tgt_now_ns();
    const struct timespec pause = {0, now < due ? (long)(due - now) : 0};
    nanosleep(&pause, NULL);
  }
  return touched;
}

int main(int argc, char** argv) {
  const struct tgt_options options = tgt_parse(&argc, argv);
  const uint64_t files = tgt_number(argc, argv, "--files", 7);
  const uint64_t socket_pairs = tgt_number(argc, argv, "--socket-pairs", 3);
  const uint64_t pipes = tgt_number(argc, argv, "--pipes", 4);
  const uint64_t events = tgt_number(argc, argv, "--eventfds", 5);
  const uint64_t threads = tgt_number(argc, argv, "--threads", 3);
  const uint64_t rate_kb = tgt_number(argc, argv, "--kb-per-second", 4096);
  const uint64_t run_ms = tgt_number(argc, argv, "--ms", 2000);

  open_descriptors(files, socket_pairs, pipes, events);
  pthread_mutex_lock(&gate);
  for (uint64_t i = 0; i < threads; ++i) {
    pthread_t thread;
    tgt_require(pthread_create(&thread, NULL, park, NULL) == 0, "no thread could be made");
    pthread_detach(thread);
  }
  tgt_ready(options);
  const uint64_t touched = grow(run_ms, rate_kb * 1024);

  tgt_emit("bytes", "grown", touched);
  tgt_emit("fds", "file", files);
  tgt_emit("fds", "socket", 2 * socket_pairs);
  tgt_emit("fds", "pipe", 2 * pipes);
  tgt_emit("fds", "eventfd", events);
  tgt_emit("threads", "all", threads + 1);
  tgt_done(options);
  return 0;
}
