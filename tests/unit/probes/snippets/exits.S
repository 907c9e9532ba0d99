# SPDX-License-Identifier: Apache-2.0
# One function for each rule of exit placement; see test_exit_sites.cpp.
#include "snippet.inc"

function two_returns
  test %edi, %edi
  je 1f
.Linside:
  ret                           # +4
1:
  repz ret                      # +5
end two_returns

function tail_call
  xor %eax, %eax
  jmp external@PLT              # +2
end tail_call

function tail_call_by_slot
  mov (%rdi), %rax
  jmp *0x18(%rax)               # +3
end tail_call_by_slot

function tail_call_by_register
  push %rbx
  .cfi_adjust_cfa_offset 8
  mov 8(%rdi), %rax
  pop %rbx
  .cfi_adjust_cfa_offset -8
  jmp *%rax                     # +6
end tail_call_by_register

# The same with an array of distances that has nothing to do with the jump.
function tail_call_beside_an_array
  movslq (%rsi,%rdx,4), %rcx
  add %rcx, %rdi
  jmp *0x20(%rdi)               # +7
end tail_call_beside_an_array

# Threaded code: the frame is still there, so the jump stays inside.
function computed_goto
  push %rbx
  .cfi_adjust_cfa_offset 8
  lea .Llabels(%rip), %rbx
  jmp *(%rbx,%rdi,8)
.Lfirst:
  inc %eax
  jmp *8(%rbx)
.Lsecond:
  pop %rbx
  .cfi_adjust_cfa_offset -8
  ret
  .section .data.rel.ro, "aw"
  .p2align 3
.Llabels:
  .quad .Lfirst
  .quad .Lsecond
  .text
end computed_goto

# A jump through a pointer, and a label that a pointer may hold: both ways are open.
function goto_or_tail_call
  mov (%rdi), %rax
  jmp *8(%rax)
.Lmaybe:
  ret
  .section .data.rel.ro, "aw"
  .p2align 3
  .quad .Lmaybe
  .text
end goto_or_tail_call

function switch_table
  cmp $2, %edi
  ja 1f
  mov %edi, %edi
  lea .Lcases(%rip), %rdx
  movslq (%rdx,%rdi,4), %rax
  add %rdx, %rax
  jmp *%rax
1:
  ret
2:
  mov $2, %eax
  ret
  .section .rodata
  .p2align 2
.Lcases:
  .long 1b - .Lcases
  .long 2b - .Lcases
  .long 1b - .Lcases
  .text
end switch_table

# One case of three lies between instructions.
function switch_table_contradicts
  cmp $2, %edi
  ja 1f
  mov %edi, %edi
  lea .Lbad_cases(%rip), %rdx
  movslq (%rdx,%rdi,4), %rax
  add %rdx, %rax
  jmp *%rax
1:
  ret
2:
  mov $2, %eax
  ret
  .section .rodata
  .p2align 2
.Lbad_cases:
  .long 1b - .Lbad_cases
  .long 2b + 1 - .Lbad_cases
  .long 1b - .Lbad_cases
  .text
end switch_table_contradicts

# The table comes from the caller: perhaps one of functions.
function unknown_table
  movslq (%rsi,%rdi,4), %rax
  add %rsi, %rax
  jmp *%rax
  ret
end unknown_table

function conditional_tail_call
  test %edi, %edi
  je external@PLT
  ret
end conditional_tail_call

function into_other_code
  xor %eax, %eax
  jmp .Linside
end into_other_code

function runs_on
  xor %eax, %eax
end runs_on

function no_instruction
  xor %eax, %eax
  ret
  .byte 0x06
end no_instruction

function between_instructions
  jmp 1f + 1
1:
  mov %eax, %ebx
  ret
end between_instructions

function restarts
1:
  test %edi, %edi
  jne 1b
  ret
end restarts

# A retpoline: the ret is a jump, the return address stays below.
function returns_elsewhere
  push %rax
  .cfi_adjust_cfa_offset 8
  ret
  .cfi_adjust_cfa_offset -8
end returns_elsewhere

function jumps_with_frame
  sub $8, %rsp
  .cfi_adjust_cfa_offset 8
  jmp external@PLT
  .cfi_adjust_cfa_offset -8
end jumps_with_frame

function has_cold_part
  test %edi, %edi
  je has_cold_part.cold
  ret                           # +8
end has_cold_part
  .section .text.unlikely, "ax", @progbits
  .type has_cold_part.cold, @function
has_cold_part.cold:
  .cfi_startproc
  xor %eax, %eax
  ret
  .cfi_endproc
  .size has_cold_part.cold, . - has_cold_part.cold

function has_nameless_cold_part
  test %edi, %edi
  je .Lpart_alone
1:
  ret                           # +8
end has_nameless_cold_part
part alone
  xor %eax, %eax
  jmp 1b
end_part

function shares_cold_part_1
  test %edi, %edi
  je .Lpart_shared
  ret
end shares_cold_part_1
function shares_cold_part_2
  test %edi, %edi
  je .Lpart_shared
  ret
end shares_cold_part_2
part shared
  xor %eax, %eax
  ret
end_part

# A nameless function that is called as well is no part of the one that jumps to it.
function tail_calls_nameless
  xor %eax, %eax
  {disp32} jmp .Lpart_called    # +2
end tail_calls_nameless
function calls_nameless
  sub $8, %rsp
  .cfi_adjust_cfa_offset 8
  call .Lpart_called
  add $8, %rsp
  .cfi_adjust_cfa_offset -8
  ret
end calls_nameless
part called
  xor %eax, %eax
  ret
end_part

function switches_stack
  mov %rsp, (%rdi)
  mov (%rsi), %rsp
  ret
end switches_stack

function stack_check
  sub $0x18, %rsp
  .cfi_adjust_cfa_offset 0x18
  mov %fs:0x28, %rax
  mov %rax, 8(%rsp)
  call external@PLT
  mov 8(%rsp), %rdx
  sub %fs:0x28, %rdx
  jne 1f                        # +0x25
  add $0x18, %rsp
  .cfi_remember_state
  .cfi_adjust_cfa_offset -0x18
  ret
1:
  .cfi_restore_state
  call __stack_chk_fail@PLT
end stack_check

function stack_check_with_frame_pointer
  push %rbp
  .cfi_adjust_cfa_offset 8
  .cfi_offset %rbp, -16
  mov %rsp, %rbp
  .cfi_def_cfa_register %rbp
  sub $0x20, %rsp
  call external@PLT
  mov -8(%rbp), %rdx
  sub %fs:0x28, %rdx
  jne 1f                        # +0x1a
  leave
  .cfi_remember_state
  .cfi_def_cfa %rsp, 8
  ret
1:
  .cfi_restore_state
  call __stack_chk_fail@PLT
end stack_check_with_frame_pointer

# Here some calls come to the ret without the check.
function stack_check_on_one_way
  sub $0x18, %rsp
  .cfi_adjust_cfa_offset 0x18
  test %edi, %edi
  je 2f
  mov 8(%rsp), %rdx
  sub %fs:0x28, %rdx
  jne 1f
2:
  add $0x18, %rsp
  .cfi_remember_state
  .cfi_adjust_cfa_offset -0x18
  ret
1:
  .cfi_restore_state
  call __stack_chk_fail@PLT
end stack_check_on_one_way

# A branch to a call that comes back is no stack check.
function other_check
  sub $0x18, %rsp
  .cfi_adjust_cfa_offset 0x18
  test %edi, %edi
  jne 1f
  add $0x18, %rsp
  .cfi_remember_state
  .cfi_adjust_cfa_offset -0x18
  ret
1:
  .cfi_restore_state
  call external@PLT
  add $0x18, %rsp
  .cfi_adjust_cfa_offset -0x18
  ret
end other_check

  .section .note.GNU-stack, "", @progbits
