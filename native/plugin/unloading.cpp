// What a host that unloads the plugin gets back. A C++ library that is linked in takes 72 kB for exceptions where memory has
// run out, and gives them back only when it is asked: with every load that a host tries, they would be lost.
#include <new>

#if defined(NEUTONE_LIKE_STATIC_CXX) && defined(__GLIBCXX__)
namespace __gnu_cxx {
void __freeres();
}

namespace {
__attribute__((destructor)) void unload() { __gnu_cxx::__freeres(); }
}  // namespace
#endif
