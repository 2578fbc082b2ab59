#include "onnx_runtime_speed.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <sstream>
#include <vector>

#include "ptq/base/error.h"

namespace ptq::bench {
namespace {

const std::string kPackages = PTQ_SOURCE_DIR "/build/onnxruntime";
const std::string kScript = PTQ_SOURCE_DIR "/bench/time_onnx.mjs";

/// Node with `input` and `output` for its own; 0 if there is no node.
int start_node(std::vector<std::string> arguments, int input, int output) {
  arguments.insert(arguments.begin(), "node");
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  pid_t process = 0;
  const int failure = posix_spawnp(&process, "node", &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  return failure == 0 ? process : 0;
}

std::array<int, 2> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw InternalError("no pipe to node can be made");
  return ends;
}

}  // namespace

std::string why_no_onnx_runtime() {
  const int node = start_node({"-e", ""}, STDIN_FILENO, STDERR_FILENO);
  int status = 1;
  if (node != 0) waitpid(node, &status, 0);
  if (status != 0) return "ONNX Runtime is skipped: node is not installed";
  if (std::filesystem::exists(kPackages + "/node_modules/onnxruntime-node")) return "";
  return "ONNX Runtime is skipped: npm's onnxruntime-node is not installed in " + kPackages;
}

OnnxRuntimeSpeed::OnnxRuntimeSpeed(const OnnxRuntimeJob& job) : model_(job.model) {
  const auto [their_input, ours] = make_pipe();
  const auto [results, their_output] = make_pipe();
  process_ = start_node({kScript, kPackages, job.model, std::to_string(job.image_size),
                         std::to_string(job.threads), std::to_string(job.tuning_seconds)},
                        their_input, their_output);
  close(their_input), close(their_output);
  to_ = fdopen(ours, "w"), from_ = fdopen(results, "r");
  std::string word;
  while (word != "ready") {
    std::istringstream line(read_line());
    line >> word;
    if (word == "ready") {
      line >> batch_;
    } else {
      double rate = 0;
      line >> rate;
      std::printf("    batches of %-17s %8.1f images/s\n", word.c_str(), rate);
      std::fflush(stdout);
    }
  }
}

OnnxRuntimeSpeed::~OnnxRuntimeSpeed() {
  std::fclose(to_), std::fclose(from_);
  waitpid(process_, nullptr, 0);
}

double OnnxRuntimeSpeed::rate(int64_t images) {
  std::fprintf(to_, "%lld\n", static_cast<long long>(images));
  std::fflush(to_);
  return std::stod(read_line());
}

std::string OnnxRuntimeSpeed::read_line() {
  std::array<char, 128> line{};
  if (std::fgets(line.data(), static_cast<int>(line.size()), from_) == nullptr) {
    throw ExportError(model_ + " does not run in ONNX Runtime");
  }
  return line.data();
}

}  // namespace ptq::bench
