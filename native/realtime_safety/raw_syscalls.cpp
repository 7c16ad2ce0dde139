#include "raw_syscalls.hpp"

#include <sys/syscall.h>

// The restorer has no unwind information on purpose: unwinders know a signal's frame by these very instructions.
asm(R"(
    .pushsection .text.neutone_like_rt, "ax", @progbits
    .globl neutone_like_rt_code_begin, neutone_like_rt_code_end, neutone_like_rt_restorer, neutone_like_rt_syscall
    .hidden neutone_like_rt_code_begin, neutone_like_rt_code_end, neutone_like_rt_restorer, neutone_like_rt_syscall
neutone_like_rt_code_begin:
    nop
    .type neutone_like_rt_restorer, @function
neutone_like_rt_restorer:
    mov $15, %rax
    syscall
    .size neutone_like_rt_restorer, . - neutone_like_rt_restorer
    .type neutone_like_rt_syscall, @function
neutone_like_rt_syscall:
    .cfi_startproc
    mov %rdi, %rax
    mov %rsi, %rdi
    mov %rdx, %rsi
    mov %rcx, %rdx
    mov %r8, %r10
    mov %r9, %r8
    mov 8(%rsp), %r9
    syscall
    ret
    .cfi_endproc
    .size neutone_like_rt_syscall, . - neutone_like_rt_syscall
neutone_like_rt_code_end:
    .popsection
)");

extern "C" void neutone_like_rt_restorer();

namespace neutone_like::realtime_safety {
namespace {

constexpr unsigned long has_restorer = 0x04000000;

struct KernelAction {
    Handler handler;
    unsigned long flags;
    void (*restorer)();
    unsigned long mask;
};

}  // namespace

bool install_handler(int signal, Handler handler) {
    const KernelAction action{handler, SA_SIGINFO | SA_ONSTACK | has_restorer, neutone_like_rt_restorer, 0};
    return neutone_like_rt_syscall(SYS_rt_sigaction, signal, reinterpret_cast<long>(&action), 0, sizeof(action.mask)) ==
           0;
}

}  // namespace neutone_like::realtime_safety
