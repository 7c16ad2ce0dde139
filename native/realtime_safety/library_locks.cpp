// The C library's functions that hold a lock of its own: streams, the one generator of random numbers, the time zone. No
// system call gives them away as long as nobody else holds it.
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "next_function.hpp"

extern "C" {  // what the functions above become with _FORTIFY_SOURCE
int __printf_chk(int, const char*, ...);
int __fprintf_chk(FILE*, int, const char*, ...);
int __vprintf_chk(int, const char*, va_list);
int __vfprintf_chk(FILE*, int, const char*, va_list);
}

NEUTONE_LIKE_PASS_ON(void, flockfile, (FILE* file), (file), noexcept)
NEUTONE_LIKE_PASS_ON(int, ftrylockfile, (FILE* file), (file), noexcept)
NEUTONE_LIKE_PASS_ON(int, fputc, (int character, FILE* file), (character, file))
NEUTONE_LIKE_PASS_ON(int, putc, (int character, FILE* file), (character, file))
NEUTONE_LIKE_PASS_ON(int, putchar, (int character), (character))
NEUTONE_LIKE_PASS_ON(int, fputs, (const char* text, FILE* file), (text, file))
NEUTONE_LIKE_PASS_ON(int, puts, (const char* text), (text))
NEUTONE_LIKE_PASS_ON(size_t, fwrite, (const void* data, size_t size, size_t number, FILE* file),
                     (data, size, number, file))
NEUTONE_LIKE_PASS_ON(int, fflush, (FILE* file), (file))
NEUTONE_LIKE_PASS_ON(int, vprintf, (const char* format, va_list values), (format, values))
NEUTONE_LIKE_PASS_ON(int, vfprintf, (FILE* file, const char* format, va_list values), (file, format, values))
NEUTONE_LIKE_PASS_ON(int, __vprintf_chk, (int flag, const char* format, va_list values), (flag, format, values))
NEUTONE_LIKE_PASS_ON(int, __vfprintf_chk, (FILE* file, int flag, const char* format, va_list values),
                     (file, flag, format, values))
NEUTONE_LIKE_PASS_ON(int, fgetc, (FILE* file), (file))
NEUTONE_LIKE_PASS_ON(int, getc, (FILE* file), (file))
NEUTONE_LIKE_PASS_ON(int, getchar, (), ())
NEUTONE_LIKE_PASS_ON(char*, fgets, (char* text, int size, FILE* file), (text, size, file))
NEUTONE_LIKE_PASS_ON(size_t, fread, (void* data, size_t size, size_t number, FILE* file), (data, size, number, file))
NEUTONE_LIKE_PASS_ON(int, rand, (), (), noexcept)
NEUTONE_LIKE_PASS_ON(void, srand, (unsigned seed), (seed), noexcept)
NEUTONE_LIKE_PASS_ON(long, random, (), (), noexcept)
NEUTONE_LIKE_PASS_ON(void, srandom, (unsigned seed), (seed), noexcept)
NEUTONE_LIKE_PASS_ON(tm*, localtime, (const time_t* moment), (moment), noexcept)
NEUTONE_LIKE_PASS_ON(tm*, localtime_r, (const time_t* moment, tm* result), (moment, result), noexcept)
NEUTONE_LIKE_PASS_ON(time_t, mktime, (tm* moment), (moment), noexcept)
NEUTONE_LIKE_PASS_ON(int, malloc_trim, (size_t pad), (pad), noexcept)

NEUTONE_LIKE_PASS_ON_LIST(printf, (const char* format, ...), format, vprintf, (const char*, va_list), format, values)
NEUTONE_LIKE_PASS_ON_LIST(fprintf, (FILE * file, const char* format, ...), format, vfprintf,
                          (FILE*, const char*, va_list), file, format, values)
NEUTONE_LIKE_PASS_ON_LIST(__printf_chk, (int flag, const char* format, ...), format, __vprintf_chk,
                          (int, const char*, va_list), flag, format, values)
NEUTONE_LIKE_PASS_ON_LIST(__fprintf_chk, (FILE * file, int flag, const char* format, ...), format, __vfprintf_chk,
                          (FILE*, int, const char*, va_list), file, flag, format, values)
