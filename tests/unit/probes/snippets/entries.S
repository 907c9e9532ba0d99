# SPDX-License-Identifier: Apache-2.0
# One function for each rule of entry placement; see test_entry_site.cpp.
#include "snippet.inc"

function push_first
  push %rbx
  .cfi_adjust_cfa_offset 8
  pop %rbx
  .cfi_adjust_cfa_offset -8
  ret
end push_first

function endbr_push
  endbr64
  push %rbx                     # +4
  .cfi_adjust_cfa_offset 8
  pop %rbx
  .cfi_adjust_cfa_offset -8
  ret
end endbr_push

function test_branch
  test %rdi, %rdi
  je 1f                         # +3
  mov %rdi, %rax
1:
  ret
end test_branch

function sub_branch
  sub $0x18, %rsp
  .cfi_adjust_cfa_offset 0x18
  test %rdi, %rdi
  je 1f                         # +7
  mov %rdi, %rax
1:
  add $0x18, %rsp
  .cfi_adjust_cfa_offset -0x18
  ret
end sub_branch

function sub_call
  endbr64
  sub $8, %rsp
  .cfi_adjust_cfa_offset 8
  call external@PLT             # +8
  add $8, %rsp
  .cfi_adjust_cfa_offset -8
  ret
end sub_call

function lea_stack
  lea -0x20(%rsp), %rsp
  .cfi_adjust_cfa_offset 0x20
  test %edi, %edi
  jne 1f                        # +7
  nop
1:
  lea 0x20(%rsp), %rsp
  .cfi_adjust_cfa_offset -0x20
  ret
end lea_stack

# The push is not emulated (its operand is in memory), so the frame pointer is there before a site.
function frame_by_rbp
  pushq 8(%rdi)
  .cfi_adjust_cfa_offset 8
  mov %rsp, %rbp
  .cfi_def_cfa_register %rbp
  and $-64, %rsp
  test %rsi, %rsi
  je 1f                         # +13
  nop
1:
  leave
  .cfi_def_cfa %rsp, 8
  ret
end frame_by_rbp

# What rsp is after the and is known to nobody.
function aligned_stack
  mov %rsp, %r11
  and $-64, %rsp
  test %rsi, %rsi
  je 1f
  nop
1:
  mov %r11, %rsp
  ret
end aligned_stack

function wrong_frame_description
  sub $0x18, %rsp
  .cfi_adjust_cfa_offset 0x10
  test %rdi, %rdi
  je 1f
  nop
1:
  add $0x18, %rsp
  .cfi_adjust_cfa_offset -0x10
  ret
end wrong_frame_description

  .globl no_frame_description
  .type no_frame_description, @function
no_frame_description:
  sub $0x18, %rsp
  test %rdi, %rdi
  je 1f
  nop
1:
  add $0x18, %rsp
  ret
  .size no_frame_description, . - no_frame_description

function huge_frame
  sub $0x8000, %rsp
  .cfi_adjust_cfa_offset 0x8000
  test %rdi, %rdi
  je 1f
  nop
1:
  add $0x8000, %rsp
  .cfi_adjust_cfa_offset -0x8000
  ret
end huge_frame

function loop_head
  xor %eax, %eax
1:
  add %rdi, %rax
  dec %rdi
  jne 1b
  ret
end loop_head

function switch_into_window
  mov %edi, %eax
.Lback:
  and $1, %edi
  lea .Ltable(%rip), %rdx
  movslq (%rdx,%rdi,4), %rcx
  add %rdx, %rcx
  test %eax, %eax
  je 1f
  jmp *%rcx
1:
  ret
  .section .rodata
  .p2align 2
.Ltable:
  .long .Lback - .Ltable
  .long 1b - .Ltable
  .text
end switch_into_window

function inner_symbol
  mov %rdi, %rax
  .globl inner_symbol_label
  .type inner_symbol_label, @function
inner_symbol_label:
  test %rax, %rax
  je 1f
  nop
1:
  ret
  .size inner_symbol_label, . - inner_symbol_label
end inner_symbol

# The next one is entered in its middle by a short jump, and the one behind by a long one.
function shares_its_tail
  xor %edi, %edi
  jmp .Lshort
end shares_its_tail

function entered_by_short_jump
  mov %rdi, %rax
.Lshort:
  test %rdi, %rdi
  je 1f
  nop
1:
  ret
end entered_by_short_jump

function entered_by_long_jump
  mov %rdi, %rax
.Llong:
  test %rdi, %rdi
  je 1f
  nop
1:
  ret
end entered_by_long_jump

function shares_its_tail_from_afar
  xor %edi, %edi
  {disp32} jmp .Llong
end shares_its_tail_from_afar

# Two functions under one frame description: what jumps within it is looked at by nobody.
function first_of_two
  xor %edi, %edi
  {disp32} jmp .Lsecond_of_two
  .size first_of_two, . - first_of_two
  .globl second_of_two
  .type second_of_two, @function
second_of_two:
  mov %rdi, %rax
.Lsecond_of_two:
  test %rdi, %rdi
  je 1f
  nop
1:
  ret
  .cfi_endproc
  .size second_of_two, . - second_of_two

function entered_by_pointer
  mov %rdi, %rax
.Lpointer:
  test %rdi, %rdi
  je 1f
  nop
1:
  ret
  .section .data.rel.ro, "aw"
  .p2align 3
  .quad .Lpointer
  .text
end entered_by_pointer

function enters_kernel
  mov $39, %eax
  syscall
  test %rax, %rax
  je 1f
  nop
1:
  ret
end enters_kernel

function repeats
  mov %rsi, %rcx
  rep stosb
  test %rax, %rax
  je 1f
  nop
1:
  ret
end repeats

function vectors_on_the_way
  mov %rdi, %rax
  vpxor %xmm0, %xmm0, %xmm0
  test %rdi, %rdi
  je 1f                         # +10
  nop
1:
  ret
end vectors_on_the_way

# The kernel may patch a 5-byte nop into a call, which writes below rsp.
function nop_in_red_zone
  mov %rdi, -8(%rsp)
  .byte 0x0f, 0x1f, 0x44, 0x00, 0x00
  test %rdi, %rdi
  je 1f                         # +13
  nop
1:
  mov -8(%rsp), %rax
  ret
end nop_in_red_zone

function nop_after_endbr
  endbr64
  .byte 0x0f, 0x1f, 0x44, 0x00, 0x00  # +4
  mov %rdi, %rax
  ret
end nop_after_endbr

function writes_arguments
  mov %rsi, %rax
  xor %edi, %edi
  mov %eax, %ecx
  push %rbx                     # +7
  .cfi_adjust_cfa_offset 8
  pop %rbx
  .cfi_adjust_cfa_offset -8
  ret
end writes_arguments

function only_jumps_on
  lea 1(%rdi), %rsi
  jmp external@PLT              # +4
end only_jumps_on

function far_away
  .rept 17
  add %rdi, %rax
  .endr
  push %rbx
  .cfi_adjust_cfa_offset 8
  pop %rbx
  .cfi_adjust_cfa_offset -8
  ret
end far_away


# As Go does it: too little stack, and the function asks for more and starts again.
function grows_stack
  lea -0x98(%rsp), %r12
  cmp 0x10(%r14), %r12
  jbe 1f                        # +12
  sub $0x118, %rsp              # +14
  .cfi_adjust_cfa_offset 0x118
  xor %eax, %eax
  test %rdi, %rdi
  je 2f                         # +26
  nop
2:
  add $0x118, %rsp
  .cfi_adjust_cfa_offset -0x118
  ret
1:
  mov %rax, 8(%rsp)
  call external@PLT
  mov 8(%rsp), %rax
  jmp grows_stack
end grows_stack

# Its loop starts it again, too.
function grows_stack_and_loops
  cmp 0x10(%r14), %rsp
  jbe 1f
  dec %rdi
  jne grows_stack_and_loops
  ret
1:
  call external@PLT
  jmp grows_stack_and_loops
end grows_stack_and_loops

# What asks for more stack is reached without the check.
function grows_stack_again
  cmp 0x10(%r14), %rsp
  jbe 1f
  dec %rdi
  jne 1f
  ret
1:
  call external@PLT
  jmp grows_stack_again
end grows_stack_again

# A loop comes to the code behind the check.
function loops_behind_check
  cmp 0x10(%r14), %rsp
  jbe 1f
2:
  dec %rdi
  jne 2b
  ret
1:
  call external@PLT
  jmp loops_behind_check
end loops_behind_check

  .section .note.GNU-stack, "", @progbits
