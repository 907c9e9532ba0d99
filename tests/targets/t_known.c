// SPDX-License-Identifier: Apache-2.0
// Functions with known call counts and known durations: work_a -> work_b -> work_c twice, and
// sleepy, which waits off the CPU. The body of each call is timed from inside, so that the printed
// percentiles (nearest rank) are the truth of this very run, preemption and probes below included.
// "sleeps sleepy" and "preempted sleepy": how often the kernel took it from its CPU because it
// waited (a sleep that is over before the kernel gets to that is none), and for others.
#include <sys/resource.h>

#include "target.h"

enum { kMaxCalls = 1 << 20 };

struct series {
  const char* name;
  uint64_t* values;
  uint64_t count;
  uint64_t callees_ns;  // time spent in the functions called by this one
};

static struct series a = {.name = "work_a"};
static struct series b = {.name = "work_b"};
static struct series c = {.name = "work_c"};
static struct series z = {.name = "sleepy"};

// Deterministic durations, log-uniform over low_ns * [1, 64).
static uint64_t next_duration_ns(uint64_t low_ns) {
  static uint64_t state = 42;
  state = state * 6364136223846793005u + 1442695040888963407u;
  const uint64_t octave = (state >> 33) % 6;
  const uint64_t fraction = (state >> 40) & 1023;
  return (low_ns << octave) + (low_ns << octave) * fraction / 1024;
}

static uint64_t finish(struct series* series, uint64_t start_ns) {
  const uint64_t elapsed_ns = tgt_now_ns() - start_ns;
  series->values[series->count++] = elapsed_ns;
  return elapsed_ns;
}

PROBED uint64_t work_c(void) {
  const uint64_t start = tgt_now_ns();
  tgt_spin_ns(next_duration_ns(40000));
  return finish(&c, start);
}

PROBED uint64_t work_b(void) {
  const uint64_t start = tgt_now_ns();
  tgt_spin_ns(next_duration_ns(10000));
  b.callees_ns += work_c();
  b.callees_ns += work_c();
  return finish(&b, start);
}

PROBED uint64_t work_a(void) {
  const uint64_t start = tgt_now_ns();
  tgt_spin_ns(next_duration_ns(10000));
  a.callees_ns += work_b();
  return finish(&a, start);
}

PROBED uint64_t sleepy(void) {
  const uint64_t start = tgt_now_ns();
  const struct timespec pause = {0, (long)next_duration_ns(200000)};
  nanosleep(&pause, NULL);
  return finish(&z, start);
}

static struct rusage usage(void) {
  struct rusage now;
  tgt_require(getrusage(RUSAGE_SELF, &now) == 0, "no resource usage");
  return now;
}

static int compare(const void* left, const void* right) {
  const uint64_t l = *(const uint64_t*)left;
  const uint64_t r = *(const uint64_t*)right;
  return (l > r) - (l < r);
}

// The value at a percentile, and one that is a few ranks above: a call that is preempted between
// our clock and that of a probe moves to the end of the probe's order, and all behind it one rank
// down.
static void emit_percentile(const struct series* series, const char* key, const char* key_above,
                            uint64_t per_mille) {
  const uint64_t rank = (series->count * per_mille + 999) / 1000;
  const uint64_t index = rank > 0 ? rank - 1 : 0;
  const uint64_t above = index + 2 + series->count / 50;
  tgt_emit(key, series->name, series->values[index]);
  tgt_emit(key_above, series->name,
           series->values[above < series->count ? above : series->count - 1]);
}

static void report(struct series* series) {
  uint64_t total = 0;
  if (series->count == 0) return;
  qsort(series->values, series->count, sizeof(uint64_t), compare);
  for (uint64_t i = 0; i < series->count; ++i) total += series->values[i];
  tgt_emit("calls", series->name, series->count);
  tgt_emit("total_ns", series->name, total);
  tgt_emit("self_ns", series->name, total - series->callees_ns);
  tgt_emit("avg_ns", series->name, total / series->count);
  tgt_emit("min_ns", series->name, series->values[0]);
  tgt_emit("max_ns", series->name, series->values[series->count - 1]);
  emit_percentile(series, "p50_ns", "p50_above_ns", 500);
  emit_percentile(series, "p90_ns", "p90_above_ns", 900);
  emit_percentile(series, "p95_ns", "p95_above_ns", 950);
  emit_percentile(series, "p99_ns", "p99_above_ns", 990);
  emit_percentile(series, "p999_ns", "p999_above_ns", 999);
}

int main(int argc, char** argv) {
  const struct tgt_options options = tgt_parse(&argc, argv);
  const uint64_t calls = tgt_number(argc, argv, "--calls", 500);
  const uint64_t sleeps = tgt_number(argc, argv, "--sleeps", 100);
  struct series* all[] = {&a, &b, &c, &z};
  tgt_require(calls <= kMaxCalls && sleeps <= kMaxCalls, "too many calls asked for");
  for (int i = 0; i < 4; ++i) {
    all[i]->values = calloc(2 * (calls + sleeps) + 1, sizeof(uint64_t));
    tgt_require(all[i]->values != NULL, "out of memory");
  }
  tgt_ready(options);
  for (uint64_t i = 0; i < calls; ++i) work_a();
  const struct rusage before = usage();
  for (uint64_t i = 0; i < sleeps; ++i) sleepy();
  const struct rusage after = usage();
  tgt_emit("sleeps", z.name, (uint64_t)(after.ru_nvcsw - before.ru_nvcsw));
  tgt_emit("preempted", z.name, (uint64_t)(after.ru_nivcsw - before.ru_nivcsw));
  for (int i = 0; i < 4; ++i) report(all[i]);
  tgt_done(options);
  return 0;
}
