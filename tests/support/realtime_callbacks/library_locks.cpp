// A callback that does what needs no system call, allocates nothing, and takes a lock of the C or C++ library all the same.
#include <dirent.h>
#include <libintl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include "neutone_like/realtime_callback.h"

namespace {

FILE* numbers = nullptr;
FILE* wide = nullptr;
DIR* folder = nullptr;
char* line = nullptr;
size_t line_size = 0;
char setting[] = "NEUTONE_LIKE_TEST_VARIABLE=1";

void require(bool truth) {
    if (!truth) abort();
}

struct Table {
    Table() noexcept : first(numbers != nullptr) {}
    bool first;
};

__attribute__((noinline)) bool made_at_first_use() {
    static const Table table;
    return table.first;
}

int instance = 0;

}  // namespace

void* neutone_like_callback_create(void) { return &instance; }

int32_t neutone_like_callback_prepare(void*, double, int32_t, int32_t) {
    numbers = tmpfile();
    require(numbers != nullptr && fputs("12 34\nsecond line\n", numbers) >= 0 && fflush(numbers) == 0);
    rewind(numbers);
    require(getline(&line, &line_size, numbers) > 0);
    wide = tmpfile();
    require(wide != nullptr && fputws(L"56 wide\n", wide) >= 0 && fflush(wide) == 0);
    rewind(wide);
    require(fgetwc(wide) == L'5');
    folder = opendir("/");
    require(folder != nullptr && readdir(folder) != nullptr);
    tzset();
    putenv(setting);
    return 0;
}

void neutone_like_callback_process(void*, const float* const*, float* const*, int32_t) {
    require(made_at_first_use());
    require(ftell(numbers) == 6 && feof(numbers) == 0);
    require(ungetc('7', numbers) == '7' && fgetc(numbers) == '7');
    require(wide != nullptr && ungetwc(L'8', wide) == L'8' && fgetwc(wide) == L'8');
    time_t moment = 86400;
    tm date{};
    char text[32];
    require(gmtime_r(&moment, &date) == &date && date.tm_mday == 2 && timegm(&date) == 86400);
    require(strftime(text, sizeof(text), "%d", &date) == 2 && strcmp(text, "02") == 0);
    require(putenv(setting) == 0);
    require(strcmp(setlocale(LC_ALL, nullptr), "C") == 0);
    require(strcmp(gettext("x"), "x") == 0);
    telldir(folder);
}

void neutone_like_callback_destroy(void*) {
    fclose(numbers);
    fclose(wide);
    closedir(folder);
    free(line);
}
