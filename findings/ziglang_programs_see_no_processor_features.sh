#!/usr/bin/env bash
# ziglang 0.17.1 (clang 22.1.8), x86-64 Linux: in what its C compiler makes, __builtin_cpu_supports("avx2") is false on every
# processor, in programs and in shared libraries, also after __builtin_cpu_init(), and a function of several versions
# (__attribute__((target("avx2"))) beside target("default")) is always the plain one. cpuid in the same program says that
# AVX2 is there, and what the system's compiler makes of the same source agrees with cpuid. Nothing warns: whoever picks code
# by processor gets the slowest. Ask cpuid (and xgetbv) instead. Needs an x86-64 processor with AVX2, and gcc to compare with.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "ziglang==0.17.1"
cd "$folder"

cat > features.c <<'C'
#include <cpuid.h>
#include <stdio.h>

#ifdef __clang__ /* in C, gcc has no functions of several versions */
__attribute__((target("avx2"))) int version(void) { return 1; }
__attribute__((target("default"))) int version(void) { return 0; }
#else
int version(void) { return __builtin_cpu_supports("avx2") ? 1 : 0; }
#endif

int main(void) {
    unsigned a = 0, b = 0, c = 0, d = 0;
    const int there = __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b >> 5 & 1) != 0;
    __builtin_cpu_init();
    printf("cpuid %d, __builtin_cpu_supports %d, version %d\n", there, __builtin_cpu_supports("avx2") ? 1 : 0, version());
    return 0;
}
C
venv/bin/python -m ziglang version
venv/bin/python -m ziglang cc -target x86_64-linux-gnu features.c -o with_zig
gcc features.c -o with_gcc
zig=$(./with_zig)
gcc=$(./with_gcc)
echo "zig: $zig"
echo "gcc: $gcc"
test "$gcc" = "cpuid 1, __builtin_cpu_supports 1, version 1"
test "$zig" = "cpuid 1, __builtin_cpu_supports 0, version 0"
echo "As found: a program made by zig cc sees no feature of its processor."
