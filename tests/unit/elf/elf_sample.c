// SPDX-License-Identifier: Apache-2.0
// A small shared library with one of everything that the ELF reader looks at.
int sample_variable = 42;
static int local_variable = 7;

int sample_function(int value) { return value + sample_variable; }
__attribute__((weak)) int sample_weak(int value) { return value * local_variable++; }
static __attribute__((noinline)) int sample_local(int value) { return sample_weak(value) - 3; }
int sample_calls_local(int value) { return sample_local(value) + 1; }
