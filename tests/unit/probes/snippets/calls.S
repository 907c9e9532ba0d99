# SPDX-License-Identifier: Apache-2.0
# Who can be unwound through; see test_unwind_proof.cpp.
#include "snippet.inc"

.macro calls name, callee
function \name
  sub $8, %rsp
  .cfi_adjust_cfa_offset 8
  call \callee
  add $8, %rsp
  .cfi_adjust_cfa_offset -8
  ret
end \name
.endm

# Local, so that it is called without a PLT stub.
  .type local_leaf, @function
  .text
local_leaf:
  .cfi_startproc
  lea (%rdi,%rdi), %rax
  ret
  .cfi_endproc
  .size local_leaf, . - local_leaf

  .hidden local_even, local_odd, local_reaches_external

function leaf
  mov (%rdi), %rax
  ret
end leaf

calls calls_leaf local_leaf
calls calls_memcpy memcpy@PLT
calls calls_malloc malloc@PLT
calls calls_external external@PLT
calls calls_exported_leaf leaf@PLT
calls local_reaches_external external@PLT
calls calls_further local_reaches_external
calls calls_nameless_leaf .Lpart_leaf
part leaf
  xor %eax, %eax
  ret
end_part

function local_even
  test %edi, %edi
  je 1f
  dec %edi
  jmp local_odd
1:
  mov $1, %eax
  ret
end local_even
function local_odd
  sub $8, %rsp
  .cfi_adjust_cfa_offset 8
  test %edi, %edi
  je 1f
  dec %edi
  call local_even
1:
  add $8, %rsp
  .cfi_adjust_cfa_offset -8
  ret
end local_odd

function jumps_to_leaf
  inc %rdi
  jmp local_leaf
end jumps_to_leaf

function jumps_to_external
  inc %rdi
  jmp external@PLT
end jumps_to_external

function calls_pointer
  sub $8, %rsp
  .cfi_adjust_cfa_offset 8
  call *%rdi
  add $8, %rsp
  .cfi_adjust_cfa_offset -8
  ret
end calls_pointer

function jumps_through_pointer
  mov (%rdi), %rax
  jmp *%rax
end jumps_through_pointer

function has_syscall
  mov $39, %eax
  syscall
  ret
end has_syscall

function sets_stack_pointer
  mov %rsp, %rax
  mov %rdi, %rsp
  push %rax
  pop %rsp
  ret
end sets_stack_pointer

function reads_return_address
  mov (%rsp), %rax
  ret
end reads_return_address

function checks_its_stack
  sub $0x18, %rsp
  .cfi_adjust_cfa_offset 0x18
  mov %fs:0x28, %rax
  mov %rax, 8(%rsp)
  mov 8(%rsp), %rdx
  sub %fs:0x28, %rdx
  jne 1f
  add $0x18, %rsp
  .cfi_remember_state
  .cfi_adjust_cfa_offset -0x18
  ret
1:
  .cfi_restore_state
  call __stack_chk_fail@PLT
end checks_its_stack

  .section .note.GNU-stack, "", @progbits
