/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way into a case and out of it. machine_in and machine_out are struct machine_registers of machine.c: 16 general
 * registers in encoding order, then rip and rflags.
 */
	.text

/* void machine_enter(const uint8_t xmm[256]): loads the registers of machine_in and jumps. */
	.globl	machine_enter
	.hidden	machine_enter
	.type	machine_enter, @function
machine_enter:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, machine_host_rsp(%rip)
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movdqu	16*\n(%rdi), %xmm\n
	.endr
	mov	machine_fs_base(%rip), %rax
	wrfsbase %rax
	mov	machine_gs_base(%rip), %rax
	wrgsbase %rax
	cmpl	$0, machine_step(%rip)
	je	1f
	int3				/* the handler fills in all registers and the trap flag */
1:	push	machine_in+136(%rip)
	popfq
	mov	machine_in+0(%rip), %rax
	mov	machine_in+8(%rip), %rcx
	mov	machine_in+16(%rip), %rdx
	mov	machine_in+24(%rip), %rbx
	mov	machine_in+32(%rip), %rsp
	mov	machine_in+40(%rip), %rbp
	mov	machine_in+48(%rip), %rsi
	mov	machine_in+56(%rip), %rdi
	mov	machine_in+64(%rip), %r8
	mov	machine_in+72(%rip), %r9
	mov	machine_in+80(%rip), %r10
	mov	machine_in+88(%rip), %r11
	mov	machine_in+96(%rip), %r12
	mov	machine_in+104(%rip), %r13
	mov	machine_in+112(%rip), %r14
	mov	machine_in+120(%rip), %r15
	jmp	*machine_in+128(%rip)
	.size	machine_enter, . - machine_enter

/* Where the jump behind the instruction leads. */
	.globl	machine_leave
	.hidden	machine_leave
	.type	machine_leave, @function
machine_leave:
	mov	%rax, machine_out+0(%rip)
	mov	%rcx, machine_out+8(%rip)
	mov	%rdx, machine_out+16(%rip)
	mov	%rbx, machine_out+24(%rip)
	mov	%rsp, machine_out+32(%rip)
	mov	%rbp, machine_out+40(%rip)
	mov	%rsi, machine_out+48(%rip)
	mov	%rdi, machine_out+56(%rip)
	mov	%r8, machine_out+64(%rip)
	mov	%r9, machine_out+72(%rip)
	mov	%r10, machine_out+80(%rip)
	mov	%r11, machine_out+88(%rip)
	mov	%r12, machine_out+96(%rip)
	mov	%r13, machine_out+104(%rip)
	mov	%r14, machine_out+112(%rip)
	mov	%r15, machine_out+120(%rip)
	mov	machine_host_rsp(%rip), %rsp
	pushfq
	pop	machine_out+136(%rip)
	push	$2
	popfq

/* Where the signal handler leads, with the stack pointer of machine_host_rsp and flags at rest. */
	.globl	machine_resume
	.hidden	machine_resume
machine_resume:
	mov	machine_host_fs_base(%rip), %rax
	wrfsbase %rax
	xor	%eax, %eax
	wrgsbase %rax
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret
	.size	machine_leave, . - machine_leave

	.section .note.GNU-stack, "", @progbits
