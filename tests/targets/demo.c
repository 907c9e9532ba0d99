// SPDX-License-Identifier: Apache-2.0
// The demo workload of scripts/run.sh: three client threads ask a small key-value store for gets,
// sets and scans, and one thread compacts its log twice a second. Worth finding in a profile: the
// compaction and the fdatasync of every 64th set hold the lock, so the p99 of request_get is far
// above its p50; one request in 500 takes a slow path that sorts badly; and each session that
// expires leaves its buffer behind, so memory grows.
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "demo_store.h"
#include "target.h"

enum { kClients = 3, kKeys = 4000, kSortSize = 1500, kSessionBytes = 4096 };

struct session {
  struct session* next;
  char buffer[kSessionBytes];
};

static struct store* store;
static uint64_t end_ns;
static _Atomic uint64_t gets, sets, scans, slow_paths, compactions, errors;
static struct session* expired;  // never freed: the leak to be found
static pthread_mutex_t session_lock = PTHREAD_MUTEX_INITIALIZER;

static uint64_t next_random(uint64_t* state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return *state >> 33;
}

PROBED void fill_value(char* value, uint64_t key) {
  for (int i = 0; i < kValueSize; ++i) value[i] = (char)(key * 31 + (uint64_t)i * 7);
}

PROBED int request_get(uint64_t key) {
  char value[kValueSize];
  char expected[kValueSize];
  atomic_fetch_add(&gets, 1);
  if (!store_get(store, key, value)) return 0;
  fill_value(expected, key);
  if (memcmp(value, expected, kValueSize) != 0) atomic_fetch_add(&errors, 1);
  return 1;
}

PROBED void request_set(uint64_t key) {
  char value[kValueSize];
  atomic_fetch_add(&sets, 1);
  fill_value(value, key);
  store_set(store, key, value);
}

PROBED uint64_t request_scan(uint64_t low) {
  atomic_fetch_add(&scans, 1);
  return store_scan(store, low, low + 20);
}

// The naive partition takes the first element as pivot: quadratic on the sorted half of the input.
PROBED void slow_sort(uint64_t* items, int count) {
  if (count < 2) return;
  int split = 0;
  for (int i = 1; i < count; ++i) {
    if (items[i] >= items[0]) continue;
    ++split;
    const uint64_t other = items[split];
    items[split] = items[i];
    items[i] = other;
  }
  const uint64_t pivot = items[0];
  items[0] = items[split];
  items[split] = pivot;
  slow_sort(items, split);
  slow_sort(items + split + 1, count - split - 1);
}

PROBED void slow_path(uint64_t* random) {
  uint64_t items[kSortSize];
  atomic_fetch_add(&slow_paths, 1);
  for (uint64_t i = 0; i < kSortSize; ++i) {
    items[i] = i < kSortSize / 2 ? i : kSortSize / 2 + next_random(random) % kSortSize;
  }
  slow_sort(items, kSortSize);
  for (int i = 1; i < kSortSize; ++i) {
    if (items[i - 1] > items[i]) atomic_fetch_add(&errors, 1);
  }
}

PROBED void expire_session(void) {
  struct session* session = malloc(sizeof(*session));
  tgt_require(session != NULL, "out of memory");
  memset(session->buffer, 1, sizeof(session->buffer));
  pthread_mutex_lock(&session_lock);
  session->next = expired;
  expired = session;
  pthread_mutex_unlock(&session_lock);
}

PROBED void handle_request(uint64_t* random) {
  const uint64_t dice = next_random(random) % 1000;
  const uint64_t key = next_random(random) % kKeys;
  if (dice < 700) {
    request_get(key);
  } else if (dice < 950) {
    request_set(key);
  } else {
    request_scan(key);
  }
  if (dice % 500 == 0) slow_path(random);
  if (dice % 250 == 0) expire_session();
}

static void* client(void* argument) {
  uint64_t random = (uint64_t)(uintptr_t)argument;
  const struct timespec pause = {0, 200000};
  while (tgt_now_ns() < end_ns) {
    for (int i = 0; i < 8; ++i) handle_request(&random);
    nanosleep(&pause, NULL);  // as if it waited for the network
  }
  return NULL;
}

static void* compactor(void* unused) {
  const struct timespec pause = {0, 500000000};
  while (tgt_now_ns() < end_ns) {
    atomic_fetch_add(&compactions, 1);
    store_compact(store);
    nanosleep(&pause, NULL);
  }
  return unused;
}

static void serve(void) {
  pthread_t threads[kClients + 1];
  for (uintptr_t i = 0; i <= kClients; ++i) {
    void* (*body)(void*) = i < kClients ? client : compactor;
    tgt_require(pthread_create(&threads[i], NULL, body, (void*)(i + 1)) == 0,
                "no thread could be made");
  }
  for (int i = 0; i <= kClients; ++i) pthread_join(threads[i], NULL);
}

int main(int argc, char** argv) {
  const struct tgt_options options = tgt_parse(&argc, argv);
  const uint64_t run_ms = tgt_number(argc, argv, "--ms", 10000);
  char log_path[] = "/tmp/callscope-demo.XXXXXX";
  const int fd = mkstemp(log_path);
  tgt_require(fd >= 0, "no temporary file could be made");
  close(fd);
  store = store_open(log_path);
  unlink(log_path);

  tgt_ready(options);
  end_ns = tgt_now_ns() + run_ms * 1000000u;
  serve();

  tgt_emit("calls", "request_get", gets);
  tgt_emit("calls", "request_set", sets);
  tgt_emit("calls", "request_scan", scans);
  tgt_emit("calls", "slow_path", slow_paths);
  tgt_emit("calls", "store_compact", compactions);
  tgt_emit("errors", "all", errors);
  store_close(store);
  tgt_done(options);
  return 0;
}
