#include "parity/onnx_runtime.h"

#include <ATen/ops/empty.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/supervisor.h"
#include "parity/run_onnx.h"
#include "ptq/base/error.h"

namespace ptq::parity {
namespace {

namespace fs = std::filesystem;

/// A folder of its own, gone with the object.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (fs::temp_directory_path() / "ptq-onnx-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
      throw OutputError("no temporary folder can be made in " + fs::temp_directory_path().string());
    }
    path_ = name;
    removed_if_killed_.emplace(name);
  }
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  fs::path path_;
  std::optional<TemporaryPath> removed_if_killed_;
};

constexpr int kNoProgram = 127;

/// Runs node and returns its exit code; kNoProgram if there is no node. What it says goes to `log`.
int run_node(std::vector<std::string> arguments, const std::string& log) {
  arguments.insert(arguments.begin(), "node");
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  pid_t process = 0;
  const int failure = posix_spawnp(&process, "node", &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) return kNoProgram;
  const OwnedProcess ended_with_this(process);
  int status = 0;
  waitpid(process, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void write_bytes(const std::string& path, const void* bytes, size_t count) {
  std::ofstream stream(path, std::ios::binary);
  stream.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(count));
  if (!stream.flush()) throw OutputError(path + " cannot be written");
}

std::string first_line(const std::string& path) {
  std::string line;
  std::ifstream stream(path);
  std::getline(stream, line);
  return line;
}

/// Where run_tests.sh installs the package: in a build folder above the program.
std::vector<std::string> package_folders() {
  std::vector<std::string> folders;
  std::error_code ignored;
  fs::path folder = fs::read_symlink("/proc/self/exe", ignored);
  while (folder.has_relative_path()) {
    folder = folder.parent_path();
    const fs::path candidate = folder / "build" / "onnxruntime";
    if (fs::exists(candidate, ignored)) folders.push_back(candidate.string());
  }
  return folders;
}

/// Runs the script with `request` as its first argument.
int run_script(const ScratchFolder& folder, const std::string& request) {
  const std::string script = folder.file("run_onnx.mjs");
  if (!fs::exists(script)) write_bytes(script, kRunOnnx.data(), kRunOnnx.size());
  std::vector<std::string> arguments = package_folders();
  arguments.insert(arguments.begin(), {script, request});
  return run_node(std::move(arguments), folder.file("log"));
}

class OnnxRuntimeModel final : public exporting::ExportedModel {
 public:
  OnnxRuntimeModel(std::string path, Optimization optimization)
      : path_(std::move(path)), optimization_(optimization) {}

  at::Tensor run(const at::Tensor& images) override {
    run(path_, images);
    return read(0, images.size(0));
  }

  exporting::NamedValues values(const at::Tensor& images,
                                const std::vector<std::string>& names) override {
    // What a value that is handed out is computed by cannot become part of a faster operator.
    if (optimization_ != Optimization::kNone) return {};
    const std::string copy = folder_.file("values.onnx");
    const auto outputs = exporting::copy_onnx_with_outputs(path_, names, copy);
    if (outputs.empty()) return {};
    run(copy, images);
    exporting::NamedValues values;
    for (size_t i = 0; i < outputs.size(); ++i) values[outputs[i]] = read(i, images.size(0));
    return values;
  }

 private:
  void run(const std::string& model, const at::Tensor& images) const {
    const at::Tensor dense = images.contiguous();
    write_bytes(folder_.file("images"), dense.data_ptr(), dense.nbytes());
    const nlohmann::json job = {
        {"model", fs::absolute(model).string()},
        {"images", folder_.file("images")},
        {"shape", images.sizes().vec()},
        {"outputs", folder_.file("output")},
        {"optimization", optimization_ == Optimization::kAll ? "all" : "disabled"},
        {"exact", false}};
    const std::string jobs = nlohmann::json::array({job}).dump();
    write_bytes(folder_.file("jobs.json"), jobs.data(), jobs.size());
    if (run_script(folder_, folder_.file("jobs.json")) == 0) return;
    throw ExportError(path_ + " does not run in ONNX Runtime: " + first_line(folder_.file("log")));
  }

  at::Tensor read(size_t output, int64_t batch) const {
    const std::string path = folder_.file("output." + std::to_string(output));
    const auto count = static_cast<int64_t>(fs::file_size(path) / sizeof(float));
    at::Tensor values = at::empty({batch, count / batch});
    std::ifstream stream(path, std::ios::binary);
    stream.read(reinterpret_cast<char*>(values.data_ptr<float>()),
                static_cast<std::streamsize>(values.nbytes()));
    if (!stream) throw InternalError(path + " is shorter than it says");
    return values;
  }

  std::string path_;
  Optimization optimization_;
  ScratchFolder folder_;
};

}  // namespace

std::string why_no_onnx_runtime() {
  const ScratchFolder folder;
  switch (run_script(folder, "--version")) {
    case 0:
      return "";
    case kNoProgram:
      return "ONNX Runtime is skipped: node is not installed";
    default:
      return "ONNX Runtime is skipped: the npm package onnxruntime-node is in none of the places "
             "that docs/export.md lists";
  }
}

std::unique_ptr<exporting::ExportedModel> load_in_onnx_runtime(const std::string& path,
                                                               Optimization optimization) {
  return std::make_unique<OnnxRuntimeModel>(path, optimization);
}

}  // namespace ptq::parity
