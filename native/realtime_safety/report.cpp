#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "raw_syscalls.hpp"
#include "run.hpp"

namespace neutone_like::realtime_safety {
namespace {

class Writer {
public:
    explicit Writer(int file) : file_(file) {}
    ~Writer() { flush(); }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    __attribute__((format(printf, 2, 3))) void print(const char* format, ...) {
        char piece[256];
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(piece, sizeof(piece), format, arguments);
        va_end(arguments);
        for (const char* each = piece; *each != '\0'; ++each) put(*each);
    }

    void string(const char* text) {
        put('"');
        for (; text != nullptr && *text != '\0'; ++text) {
            const unsigned char character = static_cast<unsigned char>(*text);
            if (character == '"' || character == '\\') put('\\');
            if (character < 0x20) {
                print("\\u%04x", character);
            } else {
                put(*text);
            }
        }
        put('"');
    }

private:
    void put(char character) {
        if (used_ == sizeof(buffer_)) flush();
        buffer_[used_++] = character;
    }

    void flush() {
        size_t written = 0;
        while (written < used_) {
            const long result = neutone_like_rt_syscall(SYS_write, file_, reinterpret_cast<long>(buffer_ + written),
                                                        static_cast<long>(used_ - written));
            if (result <= 0) break;
            written += static_cast<size_t>(result);
        }
        used_ = 0;
    }

    int file_;
    size_t used_ = 0;
    char buffer_[4096];
};

bool is_ours(const void* address) {
    Dl_info here;
    Dl_info there;
    return dladdr(reinterpret_cast<const void*>(&write_report), &here) != 0 && dladdr(address, &there) != 0 &&
           here.dli_fbase == there.dli_fbase;
}

void write_frame(Writer& out, const void* address) {
    Dl_info info{};
    if (dladdr(address, &info) == 0) info = {};
    const size_t base = reinterpret_cast<size_t>(info.dli_fbase);
    out.print("{\"offset\":%zu,\"object\":", reinterpret_cast<size_t>(address) - base);
    out.string(info.dli_fname);
    out.print(",\"function\":");
    out.string(info.dli_sname);
    out.print("}");
}

// A return address is the instruction after the call, which may already be another function's.
void write_stack(Writer& out, const Stack& stack) {
    const char* separator = "";
    out.print("[");
    for (int index = 0; index < stack.depth; ++index) {
        const char* address = static_cast<const char*>(stack.addresses[index]);
        if (is_ours(address)) continue;
        out.print("%s", separator);
        write_frame(out, address == stack.exact ? address : address - 1);
        separator = ",";
    }
    out.print("]");
}

Tally sum_over_threads(int counter) {
    Tally sum{};
    for (const ThreadState& state : states) {
        if (!state.in_use || state.probe) continue;
        const Tally& each = state.tallies[counter];
        sum.count += each.count;
        sum.sections += each.sections;
        if (each.most_in_section > sum.most_in_section) sum.most_in_section = each.most_in_section;
        if (sum.first_section == 0) sum.first_section = each.first_section;
        if (sum.first.depth == 0) sum.first = each.first;
    }
    return sum;
}

void write_counters(Writer& out) {
    out.print("\"counters\":[");
    for (int counter = 0; counter < counter_count; ++counter) {
        const Tally sum = sum_over_threads(counter);
        out.print(
            "%s{\"name\":\"%s\",\"count\":%llu,\"callbacks\":%llu,\"most_in_callback\":%llu,"
            "\"first_callback\":%lld,\"stack\":",
            counter == 0 ? "" : ",", counter_names[counter], static_cast<unsigned long long>(sum.count),
            static_cast<unsigned long long>(sum.sections), static_cast<unsigned long long>(sum.most_in_section),
            static_cast<long long>(sum.first_section));
        write_stack(out, sum.first);
        out.print("}");
    }
    out.print("],");
}

void write_syscalls(Writer& out) {
    const char* separator = "";
    out.print("\"syscalls\":[");
    for (int number = 0; number < syscall_numbers; ++number) {
        unsigned long long sum = 0;
        for (const ThreadState& state : states) {
            if (state.in_use && !state.probe) sum += state.syscalls[number];
        }
        if (sum == 0) continue;
        out.print("%s{\"number\":%d,\"count\":%llu}", separator, number, sum);
        separator = ",";
    }
    out.print("],");
}

void write_threads(Writer& out) {
    int threads = 0;
    bool stacks_of_faults = true;
    long long sections = 0;
    long long longest_wait_ns = 0;
    unsigned long long minor = 0;
    unsigned long long major = 0;
    for (const ThreadState& state : states) {
        if (!state.in_use || state.probe) continue;
        ++threads;
        sections += state.sections;
        if (state.longest_wait_ns > longest_wait_ns) longest_wait_ns = state.longest_wait_ns;
        minor += state.warm_up_minor;
        major += state.warm_up_major;
        stacks_of_faults = stacks_of_faults && state.fault_events >= 0;
    }
    out.print("\"longest_wait_ns\":%lld,", longest_wait_ns);
    out.print("\"threads\":%d,\"too_many_threads\":%s,\"callbacks\":%lld,\"stacks_of_faults\":%s,", threads,
              too_many_threads ? "true" : "false", sections, stacks_of_faults ? "true" : "false");
    out.print("\"warm_up\":{\"callbacks\":%lld,\"minor_page_faults\":%llu,\"major_page_faults\":%llu},",
              static_cast<long long>(warm_up_sections), minor, major);
}

void write_self_test(Writer& out) {
    out.print("\"self_test\":{\"silent\":%s,\"controls\":[", self_test_was_silent ? "true" : "false");
    for (int index = 0; index < self_test_count; ++index) {
        const SelfTestResult& each = self_test_results[index];
        out.print("%s{\"counter\":\"%s\",\"moved\":%s,\"has_stack\":%s}", index == 0 ? "" : ",", each.counter,
                  each.moved ? "true" : "false", each.has_stack ? "true" : "false");
    }
    out.print("]},");
}

}  // namespace

void write_report(int file, const Ending& ending) {
    Writer out(file);
    out.print("{\"format\":1,");
    write_threads(out);
    write_self_test(out);
    write_counters(out);
    write_syscalls(out);
    out.print("\"ending\":{\"kind\":\"%s\",\"number\":%d,\"callback\":%lld,\"stack\":", ending.kind, ending.number,
              static_cast<long long>(ending.section));
    write_stack(out, ending.stack);
    out.print("}}\n");
}

}  // namespace neutone_like::realtime_safety
