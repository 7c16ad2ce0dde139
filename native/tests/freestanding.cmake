# cmake -DNM=nm -DLIBRARY=libx.a -P freestanding.cmake: fails when a library needs anything but itself, arithmetic, memory
# and the C++ language's own support. With -DBARE=ON it may need nothing but itself, and may share no inline function between its instruction sets: the linker would take either's code.
execute_process(COMMAND "${NM}" "${LIBRARY}" OUTPUT_VARIABLE symbols RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "${NM} can't read ${LIBRARY}")
endif()
string(REGEX MATCHALL "[^\n]+" lines "${symbols}")

set(allowed
  "^_ZN?K?12neutone_like"                       # our own
  "|^_Zn[wa]|^_Zd[la]|^_ZNK?SaI"                  # new, delete, std::allocator
  "|^mem(cpy|move|set|cmp|chr)$|^strlen$|^v?snprintf$|^__tls_get_addr$|^__libc_single_threaded$"
  "|^(ceil|floor|sin|cos|sqrt|exp|log|pow|nearbyint|llrint|lround|round)f?$"
  "|^__cxa_|^__gxx_personality|^_Unwind_|^_ZTVN10__cxxabiv1|^__stack_chk_fail|^_GLOBAL_OFFSET_TABLE_$"
  "|^_ZSt[0-9]+__throw_|^_ZN?K?St13runtime_error|^_ZT[IV]St|^_ZN?K?St9exception|^_ZNS?t?7__cxx1112basic_string|^_ZNKSt7__cxx1112basic_string")
string(CONCAT allowed ${allowed})
if(BARE)
  set(allowed "^_ZN?K?12neutone_like|^_GLOBAL_OFFSET_TABLE_$")
endif()

set(strangers "")
foreach(line IN LISTS lines)
  if(line MATCHES "^ +[Uw] (.+)$")
    set(symbol "${CMAKE_MATCH_1}")
    if(NOT symbol MATCHES "${allowed}")
      list(APPEND strangers "${symbol}")
    endif()
  elseif(BARE AND line MATCHES "^[0-9a-f]+ [WVu] (.+)$" AND NOT line MATCHES "8compiled(8baseline|2v[34])")
    list(APPEND strangers "${CMAKE_MATCH_1} (inline, outside of its instruction set)")
  endif()
endforeach()
list(REMOVE_DUPLICATES strangers)
if(strangers)
  message(FATAL_ERROR "${LIBRARY} needs: ${strangers}")
endif()
message(STATUS "${LIBRARY} needs nothing of the operating system")
