# Everything the project builds on, each as a target with SYSTEM headers.

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  # A precompiled header needs the two sloppiness words to be cacheable.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      ${CCACHE_PROGRAM})
endif()

find_package(Torch REQUIRED)
add_library(ptq_torch INTERFACE)
target_include_directories(ptq_torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
target_link_libraries(ptq_torch INTERFACE ${TORCH_LIBRARIES})
add_library(ptq::torch ALIAS ptq_torch)

# Debian's dnnl-config.cmake asks for OpenCL, which the CPU library does not need.
find_path(DNNL_INCLUDE_DIR dnnl.hpp REQUIRED)
find_library(DNNL_LIBRARY dnnl REQUIRED)
add_library(ptq_dnnl INTERFACE)
target_include_directories(ptq_dnnl SYSTEM INTERFACE ${DNNL_INCLUDE_DIR})
target_link_libraries(ptq_dnnl INTERFACE ${DNNL_LIBRARY})
add_library(ptq::dnnl ALIAS ptq_dnnl)

find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(Threads REQUIRED)

# Checksums of model files and of PNG's chunks.
find_package(ZLIB REQUIRED)

# Images: OpenCV, and the libraries for the kinds of files that it reads otherwise than Pillow
# (docs/images.md). Debian's OpenCVConfig.cmake comes with all modules only, of which these are two.
find_path(OPENCV_INCLUDE_DIR opencv2/imgcodecs.hpp PATH_SUFFIXES opencv4 REQUIRED)
find_library(OPENCV_CORE_LIBRARY opencv_core REQUIRED)
find_library(OPENCV_IMGCODECS_LIBRARY opencv_imgcodecs REQUIRED)
find_package(JPEG REQUIRED)
find_package(TIFF REQUIRED)
find_path(WEBP_INCLUDE_DIR webp/demux.h REQUIRED)
find_library(WEBP_LIBRARY webp REQUIRED)
find_library(WEBP_DEMUX_LIBRARY webpdemux REQUIRED)
add_library(ptq_image_codecs INTERFACE)
target_include_directories(ptq_image_codecs SYSTEM INTERFACE ${OPENCV_INCLUDE_DIR} ${WEBP_INCLUDE_DIR})
target_link_libraries(ptq_image_codecs
                      INTERFACE ${OPENCV_IMGCODECS_LIBRARY} ${OPENCV_CORE_LIBRARY} JPEG::JPEG TIFF::TIFF
                                ${WEBP_DEMUX_LIBRARY} ${WEBP_LIBRARY} ZLIB::ZLIB)
add_library(ptq::image_codecs ALIAS ptq_image_codecs)

# Written by extract_fashion_mnist.
find_package(PNG REQUIRED)

# Only the hashes; LibTorch loads the same library anyway.
find_package(OpenSSL REQUIRED COMPONENTS Crypto)

# ONNX files. LibTorch loads both libraries too, so these are the versions it was built with.
# Debian's ONNXConfig.cmake names targets without a namespace that clash with protobuf's.
find_package(Protobuf REQUIRED)
find_path(ONNX_INCLUDE_DIR onnx/onnx_pb.h REQUIRED)
find_library(ONNX_LIBRARY onnx REQUIRED)
find_library(ONNX_PROTO_LIBRARY onnx_proto REQUIRED)
add_library(ptq_onnx INTERFACE)
target_include_directories(ptq_onnx SYSTEM INTERFACE ${ONNX_INCLUDE_DIR} ${Protobuf_INCLUDE_DIRS})
target_compile_definitions(ptq_onnx INTERFACE ONNX_NAMESPACE=onnx ONNX_ML=1)
target_link_libraries(ptq_onnx INTERFACE ${ONNX_LIBRARY} ${ONNX_PROTO_LIBRARY} ${Protobuf_LIBRARIES})
add_library(ptq::onnx ALIAS ptq_onnx)

find_package(CLI11 CONFIG REQUIRED)
find_package(spdlog CONFIG REQUIRED)
find_package(yaml-cpp CONFIG REQUIRED)
find_package(nlohmann_json CONFIG REQUIRED)
if(PTQ_BUILD_TESTS)
  find_package(GTest REQUIRED)
endif()
