#include "shared_library.hpp"

#include <dlfcn.h>

#include "exchange_error.hpp"

namespace neutone_like::exchange {

SharedLibrary::SharedLibrary(const std::string& path)
    : path_(path), handle_(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ == nullptr) throw ExchangeError(path + " can't be loaded: " + dlerror());
}

void* SharedLibrary::address(const char* name, const std::string& advice) const {
    void* found = dlsym(handle_, name);
    if (found == nullptr) throw ExchangeError(path_ + " has no function " + name + ". " + advice);
    return found;
}

}  // namespace neutone_like::exchange
