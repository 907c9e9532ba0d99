// SPDX-License-Identifier: Apache-2.0
// Symbols of every awkward kind: aliases, labels without size, a label inside a function, a nested
// sized symbol, an IFUNC, data, a local function.
int sample_data = 42;
static int local_data = 7;

int sample_plain(int value) { return value + sample_data; }
int __sample_plain(int value) __attribute__((alias("sample_plain")));
int sample_weak_alias(int value) __attribute__((weak, alias("sample_plain")));

static __attribute__((noinline)) int sample_hidden(int value) { return value * local_data++; }
int sample_caller(int value) { return sample_hidden(value) + 1; }

static int chosen(int value) { return value; }
static int (*resolve(void))(int) { return chosen; }
int sample_ifunc(int value) __attribute__((ifunc("resolve")));

// clang-format off
__asm__(
    ".pushsection .text.asm_sample,\"ax\",@progbits\n"
    ".globl asm_outer\n.type asm_outer,@function\nasm_outer:\n.fill 16,1,0x90\n"
    "asm_label_inside:\n.fill 16,1,0x90\n"
    ".globl asm_nested\n.type asm_nested,@function\nasm_nested:\n.fill 8,1,0x90\n"
    ".size asm_nested,8\n"
    ".fill 24,1,0x90\n.size asm_outer,64\n"
    ".globl asm_no_size\n.type asm_no_size,@function\nasm_no_size:\n.fill 32,1,0x90\n"
    ".globl asm_last\nasm_last:\n.fill 32,1,0x90\n"
    ".popsection\n");
// clang-format on
