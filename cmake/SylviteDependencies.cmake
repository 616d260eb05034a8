# Everything this project is built with, found in one place. Halide comes from the PyPI wheel in .venv (or where
# -DSYLVITE_HALIDE_ROOT points), all else from Debian's packages; docs/architecture.md has the table.

file(GLOB _halide_wheels ${PROJECT_SOURCE_DIR}/.venv/lib/python3*/site-packages/halide)
list(APPEND _halide_wheels NOTFOUND)
list(GET _halide_wheels 0 _halide_wheel)
set(SYLVITE_HALIDE_ROOT "${_halide_wheel}" CACHE PATH "The halide folder of the unpacked wheel halide==21.0.0")
set(Halide_DIR ${SYLVITE_HALIDE_ROOT}/lib64/cmake/Halide)
set(HalideHelpers_DIR ${SYLVITE_HALIDE_ROOT}/lib64/cmake/HalideHelpers)
find_package(Halide 21 CONFIG REQUIRED)

find_program(LLVM_CONFIG NAMES llvm-config-22 REQUIRED)
execute_process(COMMAND ${LLVM_CONFIG} --prefix OUTPUT_VARIABLE SYLVITE_LLVM_PREFIX OUTPUT_STRIP_TRAILING_WHITESPACE)
find_package(MLIR CONFIG REQUIRED PATHS ${SYLVITE_LLVM_PREFIX}/lib/cmake/mlir NO_DEFAULT_PATH)
list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
include(TableGen)
include(AddLLVM)
include(AddMLIR)

# MLIR and LLVM as shared libraries only: mixing in the static ones gives two copies of every registry.
add_library(sylvite_mlir INTERFACE)
add_library(sylvite::mlir ALIAS sylvite_mlir)
target_include_directories(sylvite_mlir SYSTEM INTERFACE ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
target_link_libraries(sylvite_mlir INTERFACE MLIR LLVM)
target_compile_options(sylvite_mlir INTERFACE -Wno-redundant-move)
include_directories(SYSTEM ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS}) # mlir_tablegen reads the directory's

find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PNG REQUIRED)
find_package(JPEG REQUIRED)
find_package(Threads REQUIRED)
if(BUILD_TESTING)
  find_package(GTest REQUIRED)
endif()
