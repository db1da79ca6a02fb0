# The loop of a batch of system calls (call-batch.ts), for x86-64 and its C library's calling convention (System V ABI, AMD64 supplement, 3.2).
# call-batch.ts holds what this is assembled to; test/kernel/call-batch.test.ts holds the two to be equal:
#
#     as call-batch.s -o call-batch.o && objcopy -O binary -j .text call-batch.o call-batch.bin
#
# long run(struct entry *entries, struct entry *from, struct entry *to)
#     struct entry: twelve words of eight bytes
#         0      number of the system call; of a clock the address of clock_gettime(3)
#         1–6    its arguments
#         7      what it returned
#         8      bits: 1: the first argument is what the first entry returned; 2: it is a clock
#         9      what may be returned below 0 beside 0; of a clock its timespec, in words 9 and 10
#         10     the most that may be returned
#     returns how many bytes after the first entry the loop ended: at `to`, or at the entry whose call returned something else
	.intel_syntax noprefix
run:
	endbr64
	push	rbx
	push	r12
	push	r13
	mov	r13, rdi
	mov	rbx, rsi
	mov	r12, rdx
1:	cmp	rbx, r12
	jae	4f
	mov	rdi, [rbx + 8]
	mov	rsi, [rbx + 16]
	mov	eax, [rbx + 64]
	test	al, 2
	jnz	5f
	mov	rdx, [rbx + 24]
	mov	r10, [rbx + 32]
	mov	r8, [rbx + 40]
	mov	r9, [rbx + 48]
	test	al, 1
	jz	2f
	mov	rdi, [r13 + 56]
2:	mov	rax, [rbx]
	syscall
	mov	[rbx + 56], rax
	test	rax, rax
	js	6f
	cmp	rax, [rbx + 80]
	jg	4f
3:	add	rbx, 96
	jmp	1b
4:	mov	rax, rbx
	sub	rax, r13
	pop	r13
	pop	r12
	pop	rbx
	ret
5:	call	[rbx]
	jmp	3b
6:	cmp	rax, [rbx + 72]
	je	3b
	jmp	4b
