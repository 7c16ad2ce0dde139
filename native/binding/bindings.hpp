// The parts of the module `neutone_like.runtime._native`, each in a file of its own.
#pragma once

#include <nanobind/nanobind.h>

namespace neutone_like {

void bind_compiled(nanobind::module_& module);
void bind_config(nanobind::module_& module);
void bind_fit(nanobind::module_& module);
void bind_session(nanobind::module_& module);
void bind_device(nanobind::module_& module);
void bind_engine(nanobind::module_& module);
void bind_live(nanobind::module_& module);

}  // namespace neutone_like
