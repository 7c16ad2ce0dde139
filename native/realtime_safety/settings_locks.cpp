// The time zone, the environment, the locale, the lists of what runs at exit, of loaded objects and of a folder's entries:
// each of them belongs to the whole process, behind a lock.
#include <dirent.h>
#include <dlfcn.h>
#include <link.h>
#include <locale.h>
#include <malloc.h>
#include <stdio.h>
#include <time.h>
#include <wchar.h>

#include "next_function.hpp"

struct neutone_like_mallinfo {  // as the C library has it, which warns of its own
    int numbers[10];
};

NEUTONE_LIKE_PASS_ON_BY_NAME(tm*, gmtime, (const time_t* moment), (moment))
NEUTONE_LIKE_PASS_ON_BY_NAME(tm*, gmtime_r, (const time_t* moment, tm* result), (moment, result))
NEUTONE_LIKE_PASS_ON_BY_NAME(time_t, timegm, (tm * moment), (moment))
NEUTONE_LIKE_PASS_ON_BY_NAME(void, tzset, (), ())
NEUTONE_LIKE_PASS_ON_BY_NAME(char*, ctime, (const time_t* moment), (moment))
NEUTONE_LIKE_PASS_ON_BY_NAME(char*, ctime_r, (const time_t* moment, char* text), (moment, text))
NEUTONE_LIKE_PASS_ON_BY_NAME(size_t, strftime, (char* text, size_t room, const char* format, const tm* moment),
                             (text, room, format, moment))
NEUTONE_LIKE_PASS_ON_BY_NAME(size_t, strftime_l,
                             (char* text, size_t room, const char* format, const tm* moment, locale_t locale),
                             (text, room, format, moment, locale))
NEUTONE_LIKE_PASS_ON_BY_NAME(size_t, wcsftime, (wchar_t * text, size_t room, const wchar_t* format, const tm* moment),
                             (text, room, format, moment))
NEUTONE_LIKE_PASS_ON_BY_NAME(size_t, wcsftime_l,
                             (wchar_t * text, size_t room, const wchar_t* format, const tm* moment, locale_t locale),
                             (text, room, format, moment, locale))
NEUTONE_LIKE_PASS_ON_BY_NAME(char*, initstate, (unsigned seed, char* state, size_t size), (seed, state, size))
NEUTONE_LIKE_PASS_ON_BY_NAME(char*, setstate, (char* state), (state))
NEUTONE_LIKE_PASS_ON_BY_NAME(int, setenv, (const char* name, const char* value, int replace), (name, value, replace))
NEUTONE_LIKE_PASS_ON_BY_NAME(int, unsetenv, (const char* name), (name))
NEUTONE_LIKE_PASS_ON_BY_NAME(int, putenv, (char* text), (text))
NEUTONE_LIKE_PASS_ON_BY_NAME(char*, setlocale, (int category, const char* name), (category, name))
NEUTONE_LIKE_PASS_ON_BY_NAME(locale_t, newlocale, (int mask, const char* name, locale_t base), (mask, name, base))
NEUTONE_LIKE_PASS_ON_BY_NAME(locale_t, duplocale, (locale_t locale), (locale))
NEUTONE_LIKE_PASS_ON_BY_NAME(void, freelocale, (locale_t locale), (locale))
NEUTONE_LIKE_PASS_ON_BY_NAME(char*, gettext, (const char* text), (text))
NEUTONE_LIKE_PASS_ON_BY_NAME(char*, dgettext, (const char* domain, const char* text), (domain, text))
NEUTONE_LIKE_PASS_ON_BY_NAME(char*, dcgettext, (const char* domain, const char* text, int category),
                             (domain, text, category))
NEUTONE_LIKE_PASS_ON_BY_NAME(char*, ngettext, (const char* one, const char* many, unsigned long number),
                             (one, many, number))
NEUTONE_LIKE_PASS_ON_BY_NAME(char*, dngettext,
                             (const char* domain, const char* one, const char* many, unsigned long number),
                             (domain, one, many, number))
NEUTONE_LIKE_PASS_ON_BY_NAME(char*, dcngettext,
                             (const char* domain, const char* one, const char* many, unsigned long number,
                              int category),
                             (domain, one, many, number, category))
NEUTONE_LIKE_PASS_ON_BY_NAME(char*, textdomain, (const char* domain), (domain))
NEUTONE_LIKE_PASS_ON_BY_NAME(char*, bindtextdomain, (const char* domain, const char* folder), (domain, folder))
NEUTONE_LIKE_PASS_ON_BY_NAME(int, mallopt, (int what, int value), (what, value))
NEUTONE_LIKE_PASS_ON_BY_NAME(neutone_like_mallinfo, mallinfo, (), ())
NEUTONE_LIKE_PASS_ON_BY_NAME(struct mallinfo2, mallinfo2, (), ())
NEUTONE_LIKE_PASS_ON_BY_NAME(int, malloc_info, (int options, FILE* file), (options, file))
NEUTONE_LIKE_PASS_ON_BY_NAME(int, __cxa_atexit, (void (*function)(void*), void* argument, void* object),
                             (function, argument, object))
NEUTONE_LIKE_PASS_ON_BY_NAME(int, on_exit, (void (*function)(int, void*), void* argument), (function, argument))
NEUTONE_LIKE_PASS_ON_BY_NAME(dirent*, readdir, (DIR * folder), (folder))
NEUTONE_LIKE_PASS_ON_BY_NAME(dirent64*, readdir64, (DIR * folder), (folder))
NEUTONE_LIKE_PASS_ON_BY_NAME(long, telldir, (DIR * folder), (folder))
NEUTONE_LIKE_PASS_ON_BY_NAME(int, dladdr, (const void* address, Dl_info* info), (address, info))
NEUTONE_LIKE_PASS_ON_BY_NAME(int, dl_iterate_phdr, (int (*each)(dl_phdr_info*, size_t, void*), void* data),
                             (each, data))

// What a compiler puts around a static variable that is made at its first use.
NEUTONE_LIKE_PASS_ON_BY_NAME(int, __cxa_guard_acquire, (void* guard), (guard))
