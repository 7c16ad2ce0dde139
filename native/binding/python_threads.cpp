#include "python_threads.hpp"

namespace neutone_like {

namespace {

bool interpreter_is_gone() {
#if PY_VERSION_HEX >= 0x030D0000
    return !Py_IsInitialized() || Py_IsFinalizing();
#else
    return !Py_IsInitialized() || _Py_IsFinalizing();
#endif
}

struct Attachment {
    Attachment() {
        if (PyGILState_GetThisThreadState()) return;
        // One Ensure more than Releases: the state outlives the calls that follow, which pair theirs.
        state = PyGILState_Ensure();
        PyEval_SaveThread();
        owned = true;
    }
    Attachment(const Attachment&) = delete;
    Attachment& operator=(const Attachment&) = delete;
    ~Attachment() {
        if (!owned || interpreter_is_gone()) return;
        surviving_shutdown([this] {
            PyEval_RestoreThread(PyGILState_GetThisThreadState());
            PyGILState_Release(state);
            return 0;
        });
    }

    PyGILState_STATE state{};
    bool owned = false;
};

}  // namespace

void attach_to_python() { static thread_local Attachment attachment; }

}  // namespace neutone_like
