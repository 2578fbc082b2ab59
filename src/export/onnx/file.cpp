#include "export/onnx/file.h"

#include <filesystem>
#include <memory>

#include "base/atomic_file.h"
#include "ptq/base/error.h"

namespace ptq::exporting {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kAlignment = 64;

void serialize(const onnx::ModelProto& model, AtomicFile& file) {
  model.SerializeToOstream(&file.stream());
}

void add_entry(onnx::TensorProto& tensor, const char* key, const std::string& value) {
  onnx::StringStringEntryProto& entry = *tensor.add_external_data();
  entry.set_key(key);
  entry.set_value(value);
}

/// Moves the large tensors of `model` to `data`, the file that will be called `location`.
void move_tensors(onnx::ModelProto& model, std::ostream& data, const std::string& location) {
  int64_t offset = 0;
  for (onnx::TensorProto& tensor : *model.mutable_graph()->mutable_initializer()) {
    const std::string& bytes = tensor.raw_data();
    if (bytes.size() < kSmallTensor) continue;
    const int64_t gap = (kAlignment - offset % kAlignment) % kAlignment;
    data << std::string(static_cast<size_t>(gap), '\0') << bytes;
    tensor.set_data_location(onnx::TensorProto::EXTERNAL);
    add_entry(tensor, "location", location);
    add_entry(tensor, "offset", std::to_string(offset + gap));
    add_entry(tensor, "length", std::to_string(bytes.size()));
    offset += gap + static_cast<int64_t>(bytes.size());
    tensor.clear_raw_data();
  }
}

void write_in_two_files(onnx::ModelProto& model, const std::string& path) {
  const std::string data_path = path + ".data";
  AtomicFile file(path);
  AtomicFile data(data_path);
  move_tensors(model, data.stream(), fs::path(data_path).filename().string());
  serialize(model, file);
  // An older model must not be found beside newer data.
  fs::remove(path);
  data.commit();
  try {
    file.commit();
  } catch (...) {
    std::error_code ignored;
    fs::remove(data_path, ignored);
    throw;
  }
}

}  // namespace

void write_onnx_file(onnx::ModelProto model, const std::string& path, int64_t largest_file) {
  if (static_cast<int64_t>(model.ByteSizeLong()) > largest_file) {
    write_in_two_files(model, path);
    return;
  }
  AtomicFile file(path);
  serialize(model, file);
  file.commit();
}

}  // namespace ptq::exporting
