// What else works on a stream, wide ones too: each holds the stream's lock while it works, and need not ask the system
// for anything as long as the buffer will do.
#include <stdio.h>
#include <wchar.h>

#include "next_function.hpp"

NEUTONE_LIKE_PASS_ON_BY_NAME(int, fseek, (FILE * file, long place, int whence), (file, place, whence))
NEUTONE_LIKE_PASS_ON_BY_NAME(int, fseeko, (FILE * file, long place, int whence), (file, place, whence))
NEUTONE_LIKE_PASS_ON_BY_NAME(int, fseeko64, (FILE * file, long place, int whence), (file, place, whence))
NEUTONE_LIKE_PASS_ON_BY_NAME(long, ftell, (FILE * file), (file))
NEUTONE_LIKE_PASS_ON_BY_NAME(long, ftello, (FILE * file), (file))
NEUTONE_LIKE_PASS_ON_BY_NAME(long, ftello64, (FILE * file), (file))
NEUTONE_LIKE_PASS_ON_BY_NAME(void, rewind, (FILE * file), (file))
NEUTONE_LIKE_PASS_ON_BY_NAME(int, fgetpos, (FILE * file, void* place), (file, place))
NEUTONE_LIKE_PASS_ON_BY_NAME(int, fgetpos64, (FILE * file, void* place), (file, place))
NEUTONE_LIKE_PASS_ON_BY_NAME(int, fsetpos, (FILE * file, const void* place), (file, place))
NEUTONE_LIKE_PASS_ON_BY_NAME(int, fsetpos64, (FILE * file, const void* place), (file, place))
NEUTONE_LIKE_PASS_ON_BY_NAME(int, ungetc, (int character, FILE* file), (character, file))
NEUTONE_LIKE_PASS_ON_BY_NAME(ssize_t, getline, (char** line, size_t* size, FILE* file), (line, size, file))
NEUTONE_LIKE_PASS_ON_BY_NAME(ssize_t, getdelim, (char** line, size_t* size, int end, FILE* file),
                             (line, size, end, file))
NEUTONE_LIKE_PASS_ON_BY_NAME(ssize_t, __getdelim, (char** line, size_t* size, int end, FILE* file),
                             (line, size, end, file))
NEUTONE_LIKE_PASS_ON_BY_NAME(int, getw, (FILE * file), (file))
NEUTONE_LIKE_PASS_ON_BY_NAME(int, putw, (int word, FILE* file), (word, file))
NEUTONE_LIKE_PASS_ON_BY_NAME(int, feof, (FILE * file), (file))
NEUTONE_LIKE_PASS_ON_BY_NAME(int, ferror, (FILE * file), (file))
NEUTONE_LIKE_PASS_ON_BY_NAME(void, clearerr, (FILE * file), (file))
NEUTONE_LIKE_PASS_ON_BY_NAME(void, setbuf, (FILE * file, char* buffer), (file, buffer))
NEUTONE_LIKE_PASS_ON_BY_NAME(void, setbuffer, (FILE * file, char* buffer, size_t size), (file, buffer, size))
NEUTONE_LIKE_PASS_ON_BY_NAME(void, setlinebuf, (FILE * file), (file))
NEUTONE_LIKE_PASS_ON_BY_NAME(int, setvbuf, (FILE * file, char* buffer, int mode, size_t size),
                             (file, buffer, mode, size))
NEUTONE_LIKE_PASS_ON_BY_NAME(void, perror, (const char* text), (text))
NEUTONE_LIKE_PASS_ON_BY_NAME(char*, __fgets_chk, (char* text, size_t room, int size, FILE* file),
                             (text, room, size, file))
NEUTONE_LIKE_PASS_ON_BY_NAME(size_t, __fread_chk, (void* data, size_t room, size_t size, size_t number, FILE* file),
                             (data, room, size, number, file))

NEUTONE_LIKE_PASS_ON_BY_NAME(wint_t, fputwc, (wchar_t character, FILE* file), (character, file))
NEUTONE_LIKE_PASS_ON_BY_NAME(wint_t, putwc, (wchar_t character, FILE* file), (character, file))
NEUTONE_LIKE_PASS_ON_BY_NAME(wint_t, putwchar, (wchar_t character), (character))
NEUTONE_LIKE_PASS_ON_BY_NAME(int, fputws, (const wchar_t* text, FILE* file), (text, file))
NEUTONE_LIKE_PASS_ON_BY_NAME(wint_t, fgetwc, (FILE * file), (file))
NEUTONE_LIKE_PASS_ON_BY_NAME(wint_t, getwc, (FILE * file), (file))
NEUTONE_LIKE_PASS_ON_BY_NAME(wint_t, getwchar, (), ())
NEUTONE_LIKE_PASS_ON_BY_NAME(wchar_t*, fgetws, (wchar_t * text, int size, FILE* file), (text, size, file))
NEUTONE_LIKE_PASS_ON_BY_NAME(wint_t, ungetwc, (wint_t character, FILE* file), (character, file))
NEUTONE_LIKE_PASS_ON_BY_NAME(int, vwprintf, (const wchar_t* format, va_list values), (format, values))
NEUTONE_LIKE_PASS_ON_BY_NAME(int, vfwprintf, (FILE * file, const wchar_t* format, va_list values),
                             (file, format, values))
NEUTONE_LIKE_PASS_ON_BY_NAME(int, __vwprintf_chk, (int flag, const wchar_t* format, va_list values),
                             (flag, format, values))
NEUTONE_LIKE_PASS_ON_BY_NAME(int, __vfwprintf_chk, (FILE * file, int flag, const wchar_t* format, va_list values),
                             (file, flag, format, values))

NEUTONE_LIKE_PASS_ON_LIST(wprintf, (const wchar_t* format, ...), format, vwprintf, (const wchar_t*, va_list), format,
                          values)
NEUTONE_LIKE_PASS_ON_LIST(fwprintf, (FILE * file, const wchar_t* format, ...), format, vfwprintf,
                          (FILE*, const wchar_t*, va_list), file, format, values)
NEUTONE_LIKE_PASS_ON_LIST(__wprintf_chk, (int flag, const wchar_t* format, ...), format, __vwprintf_chk,
                          (int, const wchar_t*, va_list), flag, format, values)
NEUTONE_LIKE_PASS_ON_LIST(__fwprintf_chk, (FILE * file, int flag, const wchar_t* format, ...), format, __vfwprintf_chk,
                          (FILE*, int, const wchar_t*, va_list), file, flag, format, values)

// By the rules of C before 1999, of C99 and of C23.
#define NEUTONE_LIKE_SCANS(before)                                                                                  \
    NEUTONE_LIKE_PASS_ON_BY_NAME(int, before##vscanf, (const char* format, va_list values), (format, values))       \
    NEUTONE_LIKE_PASS_ON_BY_NAME(int, before##vfscanf, (FILE * file, const char* format, va_list values),           \
                                 (file, format, values))                                                            \
    NEUTONE_LIKE_PASS_ON_LIST(before##scanf, (const char* format, ...), format, before##vscanf,                     \
                              (const char*, va_list), format, values)                                               \
    NEUTONE_LIKE_PASS_ON_LIST(before##fscanf, (FILE * file, const char* format, ...), format, before##vfscanf,      \
                              (FILE*, const char*, va_list), file, format, values)                                  \
    NEUTONE_LIKE_PASS_ON_BY_NAME(int, before##vwscanf, (const wchar_t* format, va_list values), (format, values))   \
    NEUTONE_LIKE_PASS_ON_BY_NAME(int, before##vfwscanf, (FILE * file, const wchar_t* format, va_list values),       \
                                 (file, format, values))                                                            \
    NEUTONE_LIKE_PASS_ON_LIST(before##wscanf, (const wchar_t* format, ...), format, before##vwscanf,                \
                              (const wchar_t*, va_list), format, values)                                            \
    NEUTONE_LIKE_PASS_ON_LIST(before##fwscanf, (FILE * file, const wchar_t* format, ...), format, before##vfwscanf, \
                              (FILE*, const wchar_t*, va_list), file, format, values)

NEUTONE_LIKE_SCANS()
NEUTONE_LIKE_SCANS(__isoc99_)
NEUTONE_LIKE_SCANS(__isoc23_)
