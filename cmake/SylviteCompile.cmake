# sylvite_compile(TARGET NET.yaml [NAME name] [BATCH n] [CPU target] [PHASES phase...] [MAX_SCRATCH bytes]
#                 [SCHEDULES file...])
#
# Makes TARGET, a static library of the compiled network, which links sylvite::rt and whose include path has the
# generated header `<name>.h`. The network is compiled again when NET.yaml or a schedule file changes.
#   NAME       the network's `name:`, where it does not stand at the start of a line of NET.yaml
#   BATCH      maximum batch; default: the network file's
#   CPU        what the kernels are compiled for (`sylvite compile --target`); default: this machine
#   PHASES     what the library can do, of train, evaluate, predict; default: all
#   MAX_SCRATCH  most bytes of one thread's scratch block
#   SCHEDULES  schedule files whose rules come before the shipped ones
function(sylvite_compile target network)
  cmake_parse_arguments(PARSE_ARGV 2 ARG "" "NAME;BATCH;CPU;MAX_SCRATCH" "PHASES;SCHEDULES")
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "sylvite_compile(${target}): unknown arguments: ${ARG_UNPARSED_ARGUMENTS}")
  endif()
  get_filename_component(network "${network}" ABSOLUTE)
  if(NOT EXISTS "${network}")
    message(FATAL_ERROR "sylvite_compile(${target}): no such file: ${network}")
  endif()
  if(NOT ARG_NAME)
    file(STRINGS "${network}" line REGEX "^name:" LIMIT_COUNT 1)
    if(NOT line MATCHES "^name:[ \t]*[\"']?([A-Za-z_][A-Za-z0-9_]*)")
      message(FATAL_ERROR "sylvite_compile(${target}): no line of ${network} starts with `name:`; pass NAME")
    endif()
    set(ARG_NAME ${CMAKE_MATCH_1})
  endif()

  set(folder "${CMAKE_CURRENT_BINARY_DIR}/${target}.sylvite")
  set(options "")
  if(ARG_BATCH)
    list(APPEND options --batch ${ARG_BATCH})
  endif()
  if(ARG_CPU)
    list(APPEND options --target ${ARG_CPU})
  endif()
  if(ARG_PHASES)
    list(JOIN ARG_PHASES "," phases)
    list(APPEND options --phases ${phases})
  endif()
  if(ARG_MAX_SCRATCH)
    list(APPEND options --max-scratch ${ARG_MAX_SCRATCH})
  endif()
  set(schedules "")
  foreach(file IN LISTS ARG_SCHEDULES)
    get_filename_component(file "${file}" ABSOLUTE)
    list(APPEND schedules "${file}")
    list(APPEND options --schedules "${file}")
  endforeach()

  set(object "${folder}/${ARG_NAME}.o")
  add_custom_command(
    OUTPUT "${object}" "${folder}/${ARG_NAME}.h"
    COMMAND sylvite::sylvite compile "${network}" -o "${folder}" ${options}
    DEPENDS "${network}" ${schedules}
    COMMENT "Compiling the network ${ARG_NAME}"
    VERBATIM)
  add_library(${target} STATIC "${object}" "${folder}/${ARG_NAME}.h")
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE C)
  target_include_directories(${target} PUBLIC "${folder}")
  target_link_libraries(${target} PUBLIC sylvite::rt)
endfunction()
