// One offence for each function of the C and C++ libraries that holds a lock of its own, but those that controls.cpp has.
#include "library_controls.hpp"

#include <dirent.h>
#include <dlfcn.h>
#include <libintl.h>
#include <link.h>
#include <locale.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <wchar.h>

extern "C" {
struct neutone_like_mallinfo {
    int numbers[10];
};
neutone_like_mallinfo rt_mallinfo() __asm__("mallinfo");
int rt_scanf(const char*, ...) __asm__("scanf");
int rt_fscanf(FILE*, const char*, ...) __asm__("fscanf");
int rt_vscanf(const char*, va_list) __asm__("vscanf");
int rt_vfscanf(FILE*, const char*, va_list) __asm__("vfscanf");
int rt_wscanf(const wchar_t*, ...) __asm__("wscanf");
int rt_fwscanf(FILE*, const wchar_t*, ...) __asm__("fwscanf");
int rt_vwscanf(const wchar_t*, va_list) __asm__("vwscanf");
int rt_vfwscanf(FILE*, const wchar_t*, va_list) __asm__("vfwscanf");
int rt___isoc99_scanf(const char*, ...) __asm__("__isoc99_scanf");
int rt___isoc99_fscanf(FILE*, const char*, ...) __asm__("__isoc99_fscanf");
int rt___isoc99_vscanf(const char*, va_list) __asm__("__isoc99_vscanf");
int rt___isoc99_vfscanf(FILE*, const char*, va_list) __asm__("__isoc99_vfscanf");
int rt___isoc99_wscanf(const wchar_t*, ...) __asm__("__isoc99_wscanf");
int rt___isoc99_fwscanf(FILE*, const wchar_t*, ...) __asm__("__isoc99_fwscanf");
int rt___isoc99_vwscanf(const wchar_t*, va_list) __asm__("__isoc99_vwscanf");
int rt___isoc99_vfwscanf(FILE*, const wchar_t*, va_list) __asm__("__isoc99_vfwscanf");
int rt___isoc23_scanf(const char*, ...) __asm__("__isoc23_scanf") __attribute__((weak));
int rt___isoc23_fscanf(FILE*, const char*, ...) __asm__("__isoc23_fscanf") __attribute__((weak));
int rt___isoc23_vscanf(const char*, va_list) __asm__("__isoc23_vscanf") __attribute__((weak));
int rt___isoc23_vfscanf(FILE*, const char*, va_list) __asm__("__isoc23_vfscanf") __attribute__((weak));
int rt___isoc23_wscanf(const wchar_t*, ...) __asm__("__isoc23_wscanf") __attribute__((weak));
int rt___isoc23_fwscanf(FILE*, const wchar_t*, ...) __asm__("__isoc23_fwscanf") __attribute__((weak));
int rt___isoc23_vwscanf(const wchar_t*, va_list) __asm__("__isoc23_vwscanf") __attribute__((weak));
int rt___isoc23_vfwscanf(FILE*, const wchar_t*, va_list) __asm__("__isoc23_vfwscanf") __attribute__((weak));
char* __fgets_chk(char*, size_t, int, FILE*);
size_t __fread_chk(void*, size_t, size_t, size_t, FILE*);
int __wprintf_chk(int, const wchar_t*, ...);
int __fwprintf_chk(FILE*, int, const wchar_t*, ...);
int __vwprintf_chk(int, const wchar_t*, va_list);
int __vfwprintf_chk(FILE*, int, const wchar_t*, va_list);
int __cxa_atexit(void (*)(void*), void*, void*) noexcept;
int __cxa_guard_acquire(long long*);
void __cxa_guard_release(long long*) noexcept;
}

namespace neutone_like::realtime_safety {

namespace {

FILE* stream = nullptr;
FILE* before = nullptr;
fpos_t place;
fpos64_t place64;
char* line = nullptr;
size_t line_size = 0;
int number = 0;
char letters[64];
wchar_t wide_letters[8];
const time_t moment = 0;
tm date{};
locale_t locale = nullptr;
locale_t second_locale = nullptr;
char generator[64];
char* generator_before = nullptr;
constexpr const char* variable = "NEUTONE_LIKE_RT_CONTROL";
char assignment[] = "NEUTONE_LIKE_RT_CONTROL=1";
DIR* folder = nullptr;
Dl_info object;
long long guard = 0;

void open_file() {
    stream = fopen("/dev/null", "r+");
    if (stream == nullptr) abort();
}
void close_file() { fclose(stream); }
void open_file_and_place() {
    open_file();
    fgetpos(stream, &place);
    fgetpos64(stream, &place64);
}
// The process's own are left as they are: what is written to one in wide letters once can't be written to in others.
void turn(FILE*& standard) {
    open_file();
    before = standard;
    standard = stream;
}
void turn_back(FILE*& standard) {
    standard = before;
    close_file();
}
void turn_input() { turn(stdin); }
void turn_input_back() { turn_back(stdin); }
void turn_output() { turn(stdout); }
void turn_output_back() { turn_back(stdout); }
void turn_errors() { turn(stderr); }
void turn_errors_back() { turn_back(stderr); }
void with_list(void (*function)(va_list), ...) {
    va_list values;
    va_start(values, function);
    function(values);
    va_end(values);
}
void make_locale() { locale = newlocale(LC_ALL_MASK, "C", nullptr); }
void drop_locale() { freelocale(locale); }
void drop_both_locales() {
    drop_locale();
    freelocale(second_locale);
}
void restore_generator() { setstate(generator_before); }
void make_generator() { generator_before = initstate(1, generator, sizeof(generator)); }
void unset_variable() { unsetenv(variable); }
void open_folder() {
    folder = opendir("/");
    if (folder == nullptr) abort();
}
void close_folder() { closedir(folder); }
void open_guard() { guard = 0; }

}  // namespace

const neutone_like_rt_control library_controls[] = {
    {"fseek", open_file, [] { fseek(stream, 0, SEEK_SET); }, close_file},
    {"fseeko", open_file, [] { fseeko(stream, 0, SEEK_SET); }, close_file},
    {"fseeko64", open_file, [] { fseeko64(stream, 0, SEEK_SET); }, close_file},
    {"ftell", open_file, [] { ftell(stream); }, close_file},
    {"ftello", open_file, [] { ftello(stream); }, close_file},
    {"ftello64", open_file, [] { ftello64(stream); }, close_file},
    {"rewind", open_file, [] { rewind(stream); }, close_file},
    {"fgetpos", open_file, [] { fgetpos(stream, &place); }, close_file},
    {"fgetpos64", open_file, [] { fgetpos64(stream, &place64); }, close_file},
    {"fsetpos", open_file_and_place, [] { fsetpos(stream, &place); }, close_file},
    {"fsetpos64", open_file_and_place, [] { fsetpos64(stream, &place64); }, close_file},
    {"ungetc", open_file, [] { ungetc('x', stream); }, close_file},
    {"getline", open_file, [] { getline(&line, &line_size, stream); }, close_file},
    {"getdelim", open_file, [] { getdelim(&line, &line_size, 'x', stream); }, close_file},
    {"__getdelim", open_file, [] { __getdelim(&line, &line_size, 'x', stream); }, close_file},
    {"getw", open_file, [] { getw(stream); }, close_file},
    {"putw", open_file, [] { putw(1, stream); }, close_file},
    {"feof", open_file, [] { feof(stream); }, close_file},
    {"ferror", open_file, [] { ferror(stream); }, close_file},
    {"clearerr", open_file, [] { clearerr(stream); }, close_file},
    {"setbuf", open_file, [] { setbuf(stream, nullptr); }, close_file},
    {"setbuffer", open_file, [] { setbuffer(stream, nullptr, 0); }, close_file},
    {"setlinebuf", open_file, [] { setlinebuf(stream); }, close_file},
    {"setvbuf", open_file, [] { setvbuf(stream, nullptr, _IONBF, 0); }, close_file},
    {"perror", turn_errors, [] { perror(""); }, turn_errors_back},
    {"__fgets_chk", open_file, [] { __fgets_chk(letters, sizeof(letters), sizeof(letters), stream); }, close_file},
    {"__fread_chk", open_file, [] { __fread_chk(letters, sizeof(letters), 1, 1, stream); }, close_file},
    {"scanf", turn_input, [] { rt_scanf("%d", &number); }, turn_input_back},
    {"fscanf", open_file, [] { rt_fscanf(stream, "%d", &number); }, close_file},
    {"vscanf", turn_input, [] { with_list([](va_list v) { rt_vscanf("%d", v); }, &number); }, turn_input_back},
    {"vfscanf", open_file, [] { with_list([](va_list v) { rt_vfscanf(stream, "%d", v); }, &number); }, close_file},
    {"wscanf", turn_input, [] { rt_wscanf(L"%d", &number); }, turn_input_back},
    {"fwscanf", open_file, [] { rt_fwscanf(stream, L"%d", &number); }, close_file},
    {"vwscanf", turn_input, [] { with_list([](va_list v) { rt_vwscanf(L"%d", v); }, &number); }, turn_input_back},
    {"vfwscanf", open_file, [] { with_list([](va_list v) { rt_vfwscanf(stream, L"%d", v); }, &number); }, close_file},
    {"__isoc99_scanf", turn_input, [] { rt___isoc99_scanf("%d", &number); }, turn_input_back},
    {"__isoc99_fscanf", open_file, [] { rt___isoc99_fscanf(stream, "%d", &number); }, close_file},
    {"__isoc99_vscanf", turn_input, [] { with_list([](va_list v) { rt___isoc99_vscanf("%d", v); }, &number); },
     turn_input_back},
    {"__isoc99_vfscanf", open_file, [] { with_list([](va_list v) { rt___isoc99_vfscanf(stream, "%d", v); }, &number); },
     close_file},
    {"__isoc99_wscanf", turn_input, [] { rt___isoc99_wscanf(L"%d", &number); }, turn_input_back},
    {"__isoc99_fwscanf", open_file, [] { rt___isoc99_fwscanf(stream, L"%d", &number); }, close_file},
    {"__isoc99_vwscanf", turn_input, [] { with_list([](va_list v) { rt___isoc99_vwscanf(L"%d", v); }, &number); },
     turn_input_back},
    {"__isoc99_vfwscanf", open_file,
     [] { with_list([](va_list v) { rt___isoc99_vfwscanf(stream, L"%d", v); }, &number); }, close_file},
    {"__isoc23_scanf", turn_input, [] { rt___isoc23_scanf("%d", &number); }, turn_input_back},
    {"__isoc23_fscanf", open_file, [] { rt___isoc23_fscanf(stream, "%d", &number); }, close_file},
    {"__isoc23_vscanf", turn_input, [] { with_list([](va_list v) { rt___isoc23_vscanf("%d", v); }, &number); },
     turn_input_back},
    {"__isoc23_vfscanf", open_file, [] { with_list([](va_list v) { rt___isoc23_vfscanf(stream, "%d", v); }, &number); },
     close_file},
    {"__isoc23_wscanf", turn_input, [] { rt___isoc23_wscanf(L"%d", &number); }, turn_input_back},
    {"__isoc23_fwscanf", open_file, [] { rt___isoc23_fwscanf(stream, L"%d", &number); }, close_file},
    {"__isoc23_vwscanf", turn_input, [] { with_list([](va_list v) { rt___isoc23_vwscanf(L"%d", v); }, &number); },
     turn_input_back},
    {"__isoc23_vfwscanf", open_file,
     [] { with_list([](va_list v) { rt___isoc23_vfwscanf(stream, L"%d", v); }, &number); }, close_file},
    {"fputwc", open_file, [] { fputwc(L'x', stream); }, close_file},
    {"putwc", open_file, [] { putwc(L'x', stream); }, close_file},
    {"putwchar", turn_output, [] { putwchar(L'x'); }, turn_output_back},
    {"fputws", open_file, [] { fputws(L"x", stream); }, close_file},
    {"fgetwc", open_file, [] { fgetwc(stream); }, close_file},
    {"getwc", open_file, [] { getwc(stream); }, close_file},
    {"getwchar", turn_input, [] { getwchar(); }, turn_input_back},
    {"fgetws", open_file, [] { fgetws(wide_letters, 2, stream); }, close_file},
    {"ungetwc", open_file, [] { ungetwc(L'x', stream); }, close_file},
    {"wprintf", turn_output, [] { wprintf(L"%d", 1); }, turn_output_back},
    {"fwprintf", open_file, [] { fwprintf(stream, L"%d", 1); }, close_file},
    {"vwprintf", turn_output, [] { with_list([](va_list v) { vwprintf(L"%d", v); }, 1); }, turn_output_back},
    {"vfwprintf", open_file, [] { with_list([](va_list v) { vfwprintf(stream, L"%d", v); }, 1); }, close_file},
    {"__wprintf_chk", turn_output, [] { __wprintf_chk(1, L"%d", 1); }, turn_output_back},
    {"__fwprintf_chk", open_file, [] { __fwprintf_chk(stream, 1, L"%d", 1); }, close_file},
    {"__vwprintf_chk", turn_output, [] { with_list([](va_list v) { __vwprintf_chk(1, L"%d", v); }, 1); },
     turn_output_back},
    {"__vfwprintf_chk", open_file, [] { with_list([](va_list v) { __vfwprintf_chk(stream, 1, L"%d", v); }, 1); },
     close_file},
    {"gmtime", nullptr, [] { gmtime(&moment); }, nullptr},
    {"gmtime_r", nullptr, [] { gmtime_r(&moment, &date); }, nullptr},
    {"timegm", nullptr, [] { timegm(&date); }, nullptr},
    {"tzset", nullptr, [] { tzset(); }, nullptr},
    {"ctime", nullptr, [] { ctime(&moment); }, nullptr},
    {"ctime_r", nullptr, [] { ctime_r(&moment, letters); }, nullptr},
    {"strftime", nullptr, [] { (void)strftime(letters, sizeof(letters), "%H", &date); }, nullptr},
    {"strftime_l", make_locale, [] { (void)strftime_l(letters, sizeof(letters), "%H", &date, locale); }, drop_locale},
    {"wcsftime", nullptr, [] { wcsftime(wide_letters, 8, L"%H", &date); }, nullptr},
    {"wcsftime_l", make_locale, [] { wcsftime_l(wide_letters, 8, L"%H", &date, locale); }, drop_locale},
    {"initstate", nullptr, [] { generator_before = initstate(1, generator, sizeof(generator)); }, restore_generator},
    {"setstate", make_generator, [] { setstate(generator_before); }, nullptr},
    {"setenv", nullptr, [] { setenv(variable, "1", 1); }, nullptr},
    {"unsetenv", nullptr, [] { unsetenv(variable); }, nullptr},
    {"putenv", nullptr, [] { putenv(assignment); }, unset_variable},
    {"setlocale", nullptr, [] { setlocale(LC_ALL, nullptr); }, nullptr},
    {"newlocale", nullptr, [] { locale = newlocale(LC_ALL_MASK, "C", nullptr); }, drop_locale},
    {"duplocale", make_locale, [] { second_locale = duplocale(locale); }, drop_both_locales},
    {"freelocale", make_locale, [] { freelocale(locale); }, nullptr},
    {"gettext", nullptr, [] { gettext(""); }, nullptr},
    {"dgettext", nullptr, [] { dgettext("none", "x"); }, nullptr},
    {"dcgettext", nullptr, [] { dcgettext("none", "x", LC_MESSAGES); }, nullptr},
    {"ngettext", nullptr, [] { ngettext("x", "y", 1); }, nullptr},
    {"dngettext", nullptr, [] { dngettext("none", "x", "y", 1); }, nullptr},
    {"dcngettext", nullptr, [] { dcngettext("none", "x", "y", 1, LC_MESSAGES); }, nullptr},
    {"textdomain", nullptr, [] { textdomain(nullptr); }, nullptr},
    {"bindtextdomain", nullptr, [] { bindtextdomain("none", nullptr); }, nullptr},
    {"mallopt", nullptr, [] { mallopt(M_PERTURB, 0); }, nullptr},
    {"mallinfo", nullptr, [] { rt_mallinfo(); }, nullptr},
    {"mallinfo2", nullptr, [] { mallinfo2(); }, nullptr},
    {"malloc_info", open_file, [] { malloc_info(0, stream); }, close_file},
    {"__cxa_atexit", nullptr, [] { __cxa_atexit([](void*) {}, nullptr, nullptr); }, nullptr},
    {"on_exit", nullptr, [] { on_exit([](int, void*) {}, nullptr); }, nullptr},
    {"readdir", open_folder, [] { readdir(folder); }, close_folder},
    {"readdir64", open_folder, [] { readdir64(folder); }, close_folder},
    {"telldir", open_folder, [] { telldir(folder); }, close_folder},
    {"dladdr", nullptr, [] { dladdr(&moment, &object); }, nullptr},
    {"dl_iterate_phdr", nullptr, [] { dl_iterate_phdr([](dl_phdr_info*, size_t, void*) { return 1; }, nullptr); },
     nullptr},
    {"__cxa_guard_acquire", open_guard,
     [] {
         if (__cxa_guard_acquire(&guard) != 0) __cxa_guard_release(&guard);
     },
     nullptr},
    {nullptr, nullptr, nullptr, nullptr},
};

}  // namespace neutone_like::realtime_safety
