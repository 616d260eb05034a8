# What `cmake --install` puts under a prefix, and the same layout in the build folder, so that the command finds
# everything relative to itself (../lib, ../include, ../share/sylvite) wherever it runs:
#
#   bin/sylvite                     the compiler
#   lib/libsylvite_{rt,data,train}.a, include/sylvite/*.h      (rules in runtime/)
#   lib/sylvite/libHalide.so        from the wheel; apart, so that it shadows no other Halide under the prefix
#   lib/cmake/sylvite               the CMake package
#   share/sylvite/schedules, share/sylvite/models (rule in models/), share/doc/sylvite (licences)

set(_links "${PROJECT_SOURCE_DIR}/runtime/include/sylvite" include/sylvite "${PROJECT_SOURCE_DIR}/schedules"
           share/sylvite/schedules "${PROJECT_SOURCE_DIR}/models" share/sylvite/models)
file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/include" "${PROJECT_BINARY_DIR}/share/sylvite")
while(_links)
  list(POP_FRONT _links _source _link)
  file(CREATE_LINK "${_source}" "${PROJECT_BINARY_DIR}/${_link}" SYMBOLIC)
endwhile()

# Messages of assertions and the like name files relative to the source tree.
target_compile_options(sylvite_options INTERFACE "-ffile-prefix-map=${PROJECT_BINARY_DIR}/="
                                                 "-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=")

foreach(library rt data train)
  if(TARGET sylvite_${library})
    set_target_properties(sylvite_${library} PROPERTIES ARCHIVE_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")
  endif()
endforeach()

if(TARGET sylvite)
  set_target_properties(sylvite PROPERTIES INSTALL_RPATH "$ORIGIN/../lib/sylvite;${SYLVITE_LLVM_PREFIX}/lib")
  install(TARGETS sylvite EXPORT sylvite-targets RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(FILES "${SYLVITE_HALIDE_ROOT}/lib64/libHalide.so" DESTINATION ${CMAKE_INSTALL_LIBDIR}/sylvite)
  install(
    FILES "${SYLVITE_HALIDE_ROOT}/share/doc/Halide/LICENSE.txt"
    DESTINATION ${CMAKE_INSTALL_DOCDIR}
    RENAME LICENSE.Halide)
endif()
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(
  DIRECTORY "${PROJECT_SOURCE_DIR}/schedules/"
  DESTINATION ${CMAKE_INSTALL_DATADIR}/sylvite/schedules
  FILES_MATCHING
  PATTERN "*.yaml")

if(TARGET sylvite_rt)
  include(CMakePackageConfigHelpers)
  set(_package ${CMAKE_INSTALL_LIBDIR}/cmake/sylvite)
  configure_package_config_file(
    "${PROJECT_SOURCE_DIR}/cmake/sylvite-config.cmake.in" "${PROJECT_BINARY_DIR}/cmake/sylvite-config.cmake"
    INSTALL_DESTINATION ${_package}
    PATH_VARS CMAKE_INSTALL_DATADIR)
  write_basic_package_version_file("${PROJECT_BINARY_DIR}/cmake/sylvite-config-version.cmake"
                                   COMPATIBILITY SameMinorVersion)
  install(FILES "${PROJECT_BINARY_DIR}/cmake/sylvite-config.cmake"
                "${PROJECT_BINARY_DIR}/cmake/sylvite-config-version.cmake"
                "${PROJECT_SOURCE_DIR}/cmake/SylviteCompile.cmake" DESTINATION ${_package})
  install(EXPORT sylvite-targets NAMESPACE sylvite:: DESTINATION ${_package})
endif()
