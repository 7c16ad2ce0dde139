#!/usr/bin/env bash
# GCC 12.2 (Debian 12), glibc 2.36: a shared object that is linked with -static-libstdc++ takes 72,704 bytes when it is
# loaded, the pool that exceptions come from where memory has run out, and dlclose doesn't give them back. A host that scans
# a hundred plugins of that kind has lost 7 MB, and valgrind calls them "still reachable". With the shared libstdc++, which
# stays loaded, nothing is lost. libstdc++ has a function for it, __gnu_cxx::__freeres, which nobody calls at dlclose: a
# destructor in the shared object may, as it has a pool of its own.
# Needs g++ of the system, and nothing else.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
g++ --version | head -1

cat > plugin.cpp <<'CPP'
#include <stdexcept>
#include <string>
extern "C" __attribute__((visibility("default"))) int entry(int length) {
    try {
        throw std::runtime_error(std::string(length, 'a'));
    } catch (const std::exception& error) {
        return static_cast<int>(std::string(error.what()).size());
    }
}
#if defined(GIVE_BACK)
namespace __gnu_cxx {
void __freeres();
}
__attribute__((destructor)) static void unload() { __gnu_cxx::__freeres(); }
#endif
CPP
cat > host.c <<'C'
#include <dlfcn.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
static void once(const char* path) {
    void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    int (*entry)(int) = library ? (int (*)(int))dlsym(library, "entry") : NULL;
    if (entry == NULL || entry(7) != 7 || dlclose(library) != 0 || dlopen(path, RTLD_NOW | RTLD_NOLOAD)) abort();
}
int main(int count, char** words) {
    (void)count;
    once(words[1]);
    const size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    for (int i = 0; i < 100; ++i) once(words[1]);
    printf("%ld\n", (long)(mallinfo2().uordblks + mallinfo2().hblkhd - before) / 100);
    return 0;
}
C
gcc -O1 host.c -o host -ldl
flags="-O1 -shared -fPIC -fvisibility=hidden -Wl,--exclude-libs,ALL"
g++ $flags plugin.cpp -o shared.so
g++ $flags -static-libstdc++ -static-libgcc plugin.cpp -o static.so
g++ $flags -static-libstdc++ -static-libgcc -DGIVE_BACK plugin.cpp -o gives_back.so
shared=$(./host ./shared.so) static=$(./host ./static.so) gives_back=$(./host ./gives_back.so)
echo "bytes lost with every dlopen and dlclose: shared libstdc++ $shared, static $static, static and __freeres $gives_back"
[ "$static" -ge 72704 ] && [ "$static" -lt 74000 ] && [ "$shared" -lt 100 ] && [ "$gives_back" -lt 100 ]
echo "As found: a static libstdc++ loses its pool of 72,704 bytes."
