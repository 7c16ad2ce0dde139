/* A program that marks its own callbacks. Exits with 0 where the checker is there, 1 where it isn't. */
#include "neutone_like/realtime_section.h"

int main(void) {
    neutone_like_realtime_marks marks = neutone_like_find_realtime_marks();
    volatile float sample = 1.0f;
    for (int callback = 0; callback < 10; ++callback) {
        neutone_like_enter_realtime(&marks);
        sample = sample * 0.5f;
        neutone_like_leave_realtime(&marks);
    }
    return marks.enter != NULL && marks.leave != NULL ? 0 : 1;
}
