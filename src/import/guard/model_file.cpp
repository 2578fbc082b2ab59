#include "import/guard/model_file.h"

#include <filesystem>
#include <fstream>

#include "import/guard/archive.h"
#include "import/guard/code.h"
#include "import/guard/directory.h"
#include "import/guard/pickle.h"
#include "ptq/base/error.h"

namespace ptq::import {
namespace {

constexpr uint64_t kMostPickle = 64 << 20;
constexpr uint64_t kMostCode = 16 << 20;

bool starts_like_zip(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  char magic[2] = {};
  return file.read(magic, 2) && magic[0] == 'P' && magic[1] == 'K';
}

void check_file(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) throw ImportError("there is no such file");
  if (!std::filesystem::is_regular_file(status)) throw ImportError("is not a file");
  if (std::filesystem::file_size(path, error) == 0) throw ImportError("the file is empty");
  if (!std::ifstream(path)) throw ImportError("the file cannot be opened for reading");
  if (!starts_like_zip(path)) {
    throw ImportError("is not a TorchScript file, which torch.jit.save writes as a zip archive");
  }
}

/// torch.save writes zip archives too; those hold tensors and no code.
void check_is_torchscript(const Archive& archive) {
  if (archive.find("constants.pkl") != nullptr && archive.find("data.pkl") != nullptr) return;
  for (const char* exported : {"archive_format", "serialized_exported_program.json"}) {
    if (archive.find(exported) != nullptr) throw not_torchscript(exported);
  }
  if (archive.find("data.pkl") == nullptr) throw not_torchscript("");
  throw ImportError(
      "holds tensors without code, as torch.save writes them (a state_dict?); a TorchScript file "
      "from torch.jit.save is needed");
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

bool is_code(const std::string& name) {
  return name.rfind("code/", 0) == 0 && ends_with(name, ".py");
}

PickleRules rules_for(const Archive& archive, const Record& record, ModelTrust trust) {
  const std::string folder = record.name == "constants.pkl" ? "constants/" : "data/";
  PickleRules rules;
  rules.name = record.name;
  rules.classes_of_libtorch_allowed = trust == ModelTrust::kTrust;
  rules.storage_bytes = [&archive, folder](std::string_view key) -> std::optional<uint64_t> {
    const Record* data = archive.find(folder + std::string(key));
    return data == nullptr ? std::nullopt : std::optional<uint64_t>(data->size);
  };
  return rules;
}

void check_record(const Archive& archive, const Record& record, ModelTrust trust) {
  if (is_code(record.name)) {
    check_code(archive.read(record, kMostCode), record.name, trust == ModelTrust::kTrust);
  } else if (ends_with(record.name, ".pkl") || ends_with(record.name, ".debug_pkl")) {
    const std::string pickle = archive.read(record, kMostPickle);
    const PickleKind made = check_pickle(pickle, rules_for(archive, record, trust));
    if (record.name == "data.pkl" && made != PickleKind::kObject) {
      throw ImportError("cannot be trusted: its data.pkl holds no module");
    }
    if (record.name == "constants.pkl" && made != PickleKind::kTuple) {
      throw ImportError("cannot be trusted: its constants.pkl holds no constants");
    }
  } else {
    archive.verify(record);
  }
}

}  // namespace

void check_model_file(const std::string& path, ModelTrust trust) {
  check_file(path);
  const Archive archive(path);
  check_is_torchscript(archive);
  for (const Record& record : archive.records()) check_record(archive, record, trust);
}

}  // namespace ptq::import
