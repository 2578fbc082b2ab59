#include "import/guard/model_file.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "import/guard/archive.h"
#include "import/guard/code.h"
#include "import/guard/directory.h"
#include "import/guard/pickle.h"
#include "ptq/base/error.h"

namespace ptq::import {
namespace {

constexpr uint64_t kMostRead = 64 << 20;
constexpr uint64_t kMostCode = 16 << 20;
constexpr uint64_t kMostVersion = 1 << 10;

/// LibTorch takes a file whose fifth byte begins the word PTMF for one of another format.
bool starts_like_zip(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  char start[8] = {};
  return file.read(start, sizeof start) && std::string_view(start, 2) == "PK" &&
         std::string_view(start + 4, 4) != "PTMF";
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

/// LibTorch puts it into a number, and knows about ten of them.
void check_version(const std::string& version) {
  constexpr size_t kMostDigits = 9;
  const size_t digits = std::min(version.find_first_not_of("0123456789"), version.size());
  const bool ends_well = version.find_first_not_of("\r\n", digits) == std::string::npos;
  if (digits == 0 || digits > kMostDigits || !ends_well) {
    throw ImportError("is damaged: its version is " + in_quotes(version) + ", not a small number");
  }
}

/// The records of a file one after the other. What it costs to check code and pickles is limited
/// for all of them together: a compressed file of little size holds many.
class Records {
 public:
  Records(const Archive& archive, ModelTrust trust) : archive_(archive), trust_(trust) {}

  void check(const Record& record) {
    // LibTorch finds CODE/ as well.
    const std::string name = lower_case(record.name);
    if (name == "model.json") {
      throw ImportError("holds a model.json, as PyTorch before 1.2 wrote it; save it anew");
    }
    if (is_code(name)) {
      check_code(read(record, kMostCode), record.name, trust_ == ModelTrust::kTrust);
    } else if (ends_with(name, ".pkl") || ends_with(name, ".debug_pkl")) {
      check_pickled(record);
    } else if (name == "version" || name == ".data/version") {
      check_version(read(record, kMostVersion));
    } else {
      archive_.verify(record);
    }
  }

 private:
  std::string read(const Record& record, uint64_t most) {
    std::string bytes = archive_.read(record, most);
    bytes_ += bytes.size();
    if (bytes_ > kMostRead) {
      throw ImportError("cannot be trusted: its code and pickles have more than the " +
                        std::to_string(kMostRead) + " bytes allowed");
    }
    return bytes;
  }

  void check_pickled(const Record& record) {
    const std::string pickle = read(record, kMostRead);
    PickleRules rules = rules_for(archive_, record, trust_);
    rules.most_values = kMostPickledValues - values_;
    const CheckedPickle checked = check_pickle(pickle, rules);
    values_ += checked.values;
    if (record.name == "data.pkl" && checked.kind != PickleKind::kObject) {
      throw ImportError("cannot be trusted: its data.pkl holds no module");
    }
    if (record.name == "constants.pkl" && checked.kind != PickleKind::kTuple) {
      throw ImportError("cannot be trusted: its constants.pkl holds no constants");
    }
  }

  const Archive& archive_;
  ModelTrust trust_;
  uint64_t bytes_ = 0;
  size_t values_ = 0;
};

}  // namespace

void check_model_file(const std::string& path, ModelTrust trust) {
  check_file(path);
  const Archive archive(path);
  check_is_torchscript(archive);
  Records records(archive, trust);
  for (const Record& record : archive.records()) records.check(record);
}

}  // namespace ptq::import
