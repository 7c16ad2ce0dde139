// A file for as long as a test runs.
#pragma once

#include <stdlib.h>
#include <unistd.h>
#include <cstdio>
#include <fstream>
#include <string>

#include "plan_builder.hpp"

class Written {
public:
    explicit Written(const plan::Bytes& bytes) {
        const int file = mkstemp(path_.data());
        close(file);
        std::ofstream(path_, std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
    ~Written() { std::remove(path_.c_str()); }
    Written(const Written&) = delete;
    Written& operator=(const Written&) = delete;
    const char* path() const { return path_.c_str(); }

private:
    std::string path_ = "/tmp/neutone_like_test_XXXXXX";
};
