# SPDX-License-Identifier: Apache-2.0
# One function for each form of rule that real files hold, with nothing in them that counts: only the
# frame information is looked at. Names say what it is.
#ifdef DEBUG_FRAME
	.cfi_sections .debug_frame
#endif
	.text

	.globl plain_frame
plain_frame:
	.cfi_startproc
	push %rbp
	.cfi_def_cfa_offset 16
	.cfi_offset rbp, -16
	mov %rsp, %rbp
	.cfi_def_cfa_register rbp
	push %rbx
	.cfi_offset rbx, -24
	nop
	pop %rbx
	pop %rbp
	.cfi_def_cfa rsp, 8
	ret
	.cfi_endproc
	.balign 16

# gcc's code for a function that aligns its stack (DRAP).
	.globl aligned_frame
aligned_frame:
	.cfi_startproc
	lea 8(%rsp), %r10
	.cfi_def_cfa r10, 0
	and $-32, %rsp
	push -8(%r10)
	push %rbp
	mov %rsp, %rbp
	.cfi_escape 0x10, 0x6, 0x2, 0x76, 0x0	# rbp at *(rbp + 0)
	push %r10
	.cfi_escape 0xf, 0x3, 0x76, 0x78, 0x6	# CFA = *(rbp - 8)
	nop
	pop %r10
	.cfi_def_cfa r10, 0
	pop %rbp				# after which gcc does not say that rbp is restored
	lea -8(%r10), %rsp
	.cfi_def_cfa rsp, 8
	ret
	.cfi_endproc
	.balign 16

# OpenSSL's: the old rsp is kept on the new stack.
	.globl stack_kept_on_stack
stack_kept_on_stack:
	.cfi_startproc
	.cfi_escape 0xf, 0x6, 0x77, 0x98, 0x1, 0x6, 0x23, 0x8	# CFA = *(rsp + 152) + 8
	.cfi_offset rbp, -16
	nop
	ret
	.cfi_endproc
	.balign 16

# As vfork: the return address is in a register.
	.globl return_in_register
return_in_register:
	.cfi_startproc
	pop %rdi
	.cfi_adjust_cfa_offset -8
	.cfi_register rip, rdi
	nop
	push %rdi
	.cfi_adjust_cfa_offset 8
	ret
	.cfi_endproc
	.balign 16

	.globl outermost
outermost:
	.cfi_startproc
	.cfi_undefined rip
	hlt
	.cfi_endproc
	.balign 16

# As the loader's lazy binding: the CFA comes from rbx during a call.
	.globl cfa_in_rbx
cfa_in_rbx:
	.cfi_startproc
	push %rbx
	.cfi_def_cfa_offset 16
	.cfi_offset rbx, -16
	mov %rsp, %rbx
	.cfi_def_cfa_register rbx
#ifdef CALLS
	call outermost
#endif
	mov %rbx, %rsp
	.cfi_def_cfa_register rsp
	pop %rbx
	.cfi_def_cfa_offset 8
	ret
	.cfi_endproc
	.balign 16

	.globl saves_registers
saves_registers:
	.cfi_startproc
	push %r15
	.cfi_def_cfa_offset 16
	.cfi_offset r15, -16
	push %r12
	.cfi_def_cfa_offset 24
	.cfi_offset r12, -24
	ret
	.cfi_endproc
	.balign 16

# As longjmp: rsp of the caller is not the CFA.
	.globl rsp_in_register
rsp_in_register:
	.cfi_startproc
	.cfi_def_cfa rdi, 0
	.cfi_register rsp, r8
	nop
	.cfi_endproc
	.balign 16

	.globl return_elsewhere
return_elsewhere:
	.cfi_startproc
	.cfi_offset rip, -16
	nop
	.cfi_endproc
	.balign 16

	.globl cfa_by_multiplication
cfa_by_multiplication:
	.cfi_startproc
	.cfi_escape 0xf, 0x7, 0x77, 0x8, 0x79, 0x0, 0x38, 0x1e, 0x22	# rsp + 8 + r9 * 8
	nop
	.cfi_endproc
	.balign 16

	.globl rbp_too_far
rbp_too_far:
	.cfi_startproc
	.cfi_offset rbp, -1048576
	nop
	.cfi_endproc
	.balign 16

# A signal frame, its ucontext at rsp + 16.
	.globl signal_return
signal_return:
	.cfi_startproc
	.cfi_signal_frame
	.cfi_escape 0xf, 0x4, 0x77, 0xb0, 0x1, 0x6		# CFA = *(rsp + 176)
	.cfi_escape 0x10, 0x6, 0x3, 0x77, 0x88, 0x1		# rbp at rsp + 136
	.cfi_escape 0x10, 0x7, 0x3, 0x77, 0xb0, 0x1		# rsp at rsp + 176
	.cfi_escape 0x10, 0x10, 0x3, 0x77, 0xb8, 0x1	# rip at rsp + 184
	nop
	.cfi_endproc
	.balign 16

# No frame information, but code: nothing may be said about it.
	.globl without_table
without_table:
	push %rbp
	pop %rbp
	ret
	.balign 16

	.globl last_function
last_function:
	.cfi_startproc
	ret
	.cfi_endproc

# Crosses two page borders, so that a rule has to be carried over.
	.globl long_function
long_function:
	.cfi_startproc
	sub $24, %rsp
	.cfi_adjust_cfa_offset 24
#ifdef SMALL
	nop
#else
	.fill 140000, 1, 0x90
#endif
	add $24, %rsp
	.cfi_adjust_cfa_offset -24
	ret
	.cfi_endproc

	.section .note.GNU-stack, "", @progbits
