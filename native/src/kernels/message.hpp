// Words and whole numbers written into a caller's memory: there is no C library here to print with.
#pragma once

#include <cstddef>
#include <cstdint>

namespace neutone_like::compiled {

class Message {
public:
    // At most `size` bytes, the terminating zero among them.
    Message(char* text, size_t size) noexcept : text_(text), size_(size) {
        if (size_ > 0) text_[0] = '\0';
    }

    Message& operator<<(const char* words) noexcept {
        for (; *words != '\0'; ++words) put(*words);
        return *this;
    }

    Message& operator<<(int64_t number) noexcept {
        char digits[20];
        int count = 0;
        uint64_t rest = number < 0 ? 0 - static_cast<uint64_t>(number) : static_cast<uint64_t>(number);
        do {
            digits[count++] = static_cast<char>('0' + rest % 10);
            rest /= 10;
        } while (rest > 0);
        if (number < 0) put('-');
        while (count > 0) put(digits[--count]);
        return *this;
    }

private:
    void put(char letter) noexcept {
        if (length_ + 1 >= size_) return;
        text_[length_++] = letter;
        text_[length_] = '\0';
    }

    char* text_;
    size_t size_;
    size_t length_ = 0;
};

}  // namespace neutone_like::compiled
