// The library that plays a format, out of a package that is installed beside this one.
#pragma once

#include <string>

namespace neutone_like::exchange {

// It stays loaded. Throws ExchangeError.
class SharedLibrary {
public:
    explicit SharedLibrary(const std::string& path);

    // Throws ExchangeError with `advice` where there is no such function.
    template <typename Function>
    void find(const char* name, Function& function, const std::string& advice) const {
        function = reinterpret_cast<Function>(address(name, advice));
    }

private:
    void* address(const char* name, const std::string& advice) const;

    std::string path_;
    void* handle_;
};

}  // namespace neutone_like::exchange
