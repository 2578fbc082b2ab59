#pragma once

#include <onnx/onnx_pb.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace ptq::exporting {

/// Tensors of fewer bytes are extents, scales, axes: the checks read them, and they stay in the
/// model where others have a file of their own.
inline constexpr size_t kSmallTensor = 1024;

/// Throws InternalError naming `path` unless the checker of the ONNX library passes the model and
/// its shape inference gives every value the type it is used with. The library knows opsets up to
/// 17; a model of a higher one is checked in its words of 17, without the types of its integers.
void check_onnx_model(const onnx::ModelProto& model, const std::string& path);

/// Bytes that one protobuf message may have.
inline constexpr int64_t kLargestOnnxFile = (int64_t{1} << 31) - 1;

/// Writes a model that has been checked. One of more bytes than `largest_file` keeps its tensors in
/// `path`.data; whatever happens, model and data under their final names belong together, or the
/// model is not there. Throws OutputError.
void write_onnx_file(onnx::ModelProto model, const std::string& path,
                     int64_t largest_file = kLargestOnnxFile);

}  // namespace ptq::exporting
