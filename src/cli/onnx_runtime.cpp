#include "onnx_runtime.h"

#include <ATen/ops/empty.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "ptq/base/error.h"

namespace ptq::cli {
namespace {

namespace fs = std::filesystem;

/// Empty if there is none.
std::string script() {
  std::error_code ignored;
  fs::path folder = fs::read_symlink("/proc/self/exe", ignored);
  while (folder.has_relative_path()) {
    folder = folder.parent_path();
    const fs::path candidate = folder / "scripts" / "run_onnx.mjs";
    if (fs::exists(candidate, ignored)) return candidate.string();
  }
  return "";
}

/// A folder of its own, gone with the object.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (fs::temp_directory_path() / "ptq-onnx-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
      throw OutputError("no temporary folder can be made in " + fs::temp_directory_path().string());
    }
    path_ = name;
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
};

/// Runs node and returns its exit code; 127 if there is no node. What it says goes to `log`.
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
  constexpr int kNoProgram = 127;
  if (failure != 0) return kNoProgram;
  int status = 0;
  waitpid(process, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string first_line(const std::string& path) {
  std::string line;
  std::ifstream stream(path);
  std::getline(stream, line);
  return line;
}

class OnnxRuntimeModel final : public exporting::ExportedModel {
 public:
  OnnxRuntimeModel(std::string path, Optimization optimization)
      : path_(std::move(path)), optimization_(optimization) {}

  at::Tensor run(const at::Tensor& images) override {
    write(images.contiguous());
    std::ostringstream shape;
    for (const int64_t extent : images.sizes()) shape << (shape.tellp() > 0 ? "," : "") << extent;
    const std::string level = optimization_ == Optimization::kAll ? "all" : "disabled";
    const int code = run_node(
        {script(), path_, folder_.file("images"), shape.str(), folder_.file("logits"), level},
        folder_.file("log"));
    if (code != 0) {
      throw ExportError(path_ +
                        " does not run in ONNX Runtime: " + first_line(folder_.file("log")));
    }
    return read(images.size(0));
  }
  std::vector<std::pair<std::string, at::Tensor>> values(const at::Tensor&) override { return {}; }

 private:
  void write(const at::Tensor& images) const {
    std::ofstream stream(folder_.file("images"), std::ios::binary);
    stream.write(reinterpret_cast<const char*>(images.data_ptr<float>()),
                 static_cast<std::streamsize>(images.nbytes()));
    if (!stream.flush()) throw OutputError(folder_.file("images") + " cannot be written");
  }

  at::Tensor read(int64_t batch) const {
    const std::string path = folder_.file("logits");
    const auto count = static_cast<int64_t>(fs::file_size(path) / sizeof(float));
    at::Tensor logits = at::empty({batch, count / batch});
    std::ifstream stream(path, std::ios::binary);
    stream.read(reinterpret_cast<char*>(logits.data_ptr<float>()),
                static_cast<std::streamsize>(logits.nbytes()));
    if (!stream) throw InternalError(path + " is shorter than it says");
    return logits;
  }

  std::string path_;
  Optimization optimization_;
  ScratchFolder folder_;
};

}  // namespace

std::string why_no_onnx_runtime() {
  const std::string found = script();
  if (found.empty()) return "ONNX Runtime is not asked: there is no scripts/run_onnx.mjs here";
  const ScratchFolder folder;
  switch (run_node({found, "--version"}, folder.file("log"))) {
    case 0:
      return "";
    case 127:
      return "ONNX Runtime is not asked: there is no node";
    default:
      return "ONNX Runtime is not asked: npm's onnxruntime-node is not where " + found +
             " looks for it";
  }
}

std::unique_ptr<exporting::ExportedModel> load_in_onnx_runtime(const std::string& path,
                                                               Optimization optimization) {
  return std::make_unique<OnnxRuntimeModel>(path, optimization);
}

}  // namespace ptq::cli
