#include "report/graph_drawing.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <filesystem>
#include <map>
#include <sstream>

#include "base/atomic_file.h"
#include "base/text.h"
#include "ptq/base/error.h"

namespace ptq::report {
namespace {

namespace fs = std::filesystem;

std::string quoted(const std::string& text) {
  std::string safe = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') safe += '\\';
    safe += c;
  }
  return safe + "\"";
}

/// Hues far from each other, by the golden ratio; pale, so that black words can be read on them.
std::string colour(size_t index) {
  constexpr double kGoldenRatio = 0.618033988749895;
  const double hue = std::fmod(static_cast<double>(index) * kGoldenRatio, 1.0);
  return "\"" + fixed(hue, 3) + " 0.35 1.0\"";
}

/// "8 bits, per channel"
std::string quantizer_words(const quant::Quantizer& quantizer) {
  std::string words = std::to_string(quant::bit_width(quantizer.format)) +
                      (quantizer.minifloat() != nullptr ? "-bit float" : " bits");
  if (quantizer.granularity == quant::Granularity::kPerChannel) words += ", per channel";
  if (quantizer.granularity == quant::Granularity::kPerGroup) words += ", per group";
  return words;
}

class Drawing {
 public:
  explicit Drawing(const QuantizedNetwork& network) : network_(network) {
    for (const ir::Node& node : network.graph.nodes) {
      if (const auto* fake = node.as<ir::FakeQuantize>())
        ++users_[network.table.at(fake->quantizer).scale];
    }
  }

  std::string text() {
    out_ << "digraph network {\n  rankdir=TB;\n  node [fontname=\"Helvetica\", fontsize=11];\n"
            "  edge [color=\"#666666\"];\n  v"
         << network_.graph.input << " [label=\"images\", shape=oval, style=bold];\n";
    for (const ir::Node& node : network_.graph.nodes) draw(node);
    out_ << "  logits [shape=oval, style=bold];\n  v" << network_.graph.output
         << " -> logits;\n}\n";
    return out_.str();
  }

 private:
  void draw(const ir::Node& node) {
    const auto* fake = node.as<ir::FakeQuantize>();
    out_ << "  v" << node.output() << " [" << (fake != nullptr ? ellipse(*fake) : box(node))
         << "];\n";
    for (const ir::ValueId input : node.inputs) {
      out_ << "  v" << input << " -> v" << node.output() << ";\n";
    }
  }

  /// `\n` in a label is DOT's own line break, so it stays outside of quoted().
  static std::string label(const std::string& first, const std::string& second) {
    const std::string a = quoted(first), b = quoted(second);
    return "label=" + a.substr(0, a.size() - 1) + "\\n" + b.substr(1);
  }

  std::string box(const ir::Node& node) const {
    const ir::Weighted* layer = ir::weighted(node.op);
    std::string words(ir::op_name(node.op));
    if (const auto* opaque = node.as<ir::Opaque>()) words = opaque->schema;
    const bool is_quantized = layer != nullptr && layer->weight_quantizer != ir::kNoQuantizer;
    if (is_quantized)
      words += ", weights " + quantizer_words(network_.table.at(layer->weight_quantizer));
    return label(node.name, words) + ", shape=box" +
           (is_quantized ? ", style=\"filled,rounded\", fillcolor=\"#e8eefb\"" : "");
  }

  /// A scale of its own is white.
  std::string ellipse(const ir::FakeQuantize& fake) {
    const quant::Quantizer& quantizer = network_.table.at(fake.quantizer);
    std::string words = quantizer_words(quantizer);
    if (quantizer.integer() != nullptr) {
      words += quant::is_signed(quantizer.format) ? ", signed" : ", unsigned";
    }
    const bool is_shared = quantizer.scale >= 0 && users_[quantizer.scale] > 1;
    const std::string first = is_shared ? "scale " + std::to_string(quantizer.scale) : "quantize";
    return label(first, words) + ", shape=ellipse, style=filled, fillcolor=" +
           (is_shared ? colour(static_cast<size_t>(quantizer.scale)) : "white");
  }

  const QuantizedNetwork& network_;
  std::map<quant::ScaleId, int> users_;
  std::ostringstream out_;
};

void write_text(const std::string& path, const std::string& text) {
  AtomicFile file(path);
  file.stream() << text;
  file.commit();
}

/// A file without a name, which goes with whoever has it open.
class NamelessFile {
 public:
  NamelessFile() : handle_(memfd_create("graph", MFD_CLOEXEC)) {}
  ~NamelessFile() {
    if (handle_ >= 0) close(handle_);
  }
  NamelessFile(const NamelessFile&) = delete;
  NamelessFile& operator=(const NamelessFile&) = delete;

  int handle() const { return handle_; }

  /// False where it cannot be held.
  bool write(const std::string& text) const {
    for (size_t done = 0; done < text.size();) {
      const ssize_t wrote = ::write(handle_, text.data() + done, text.size() - done);
      if (wrote <= 0) return false;
      done += static_cast<size_t>(wrote);
    }
    return lseek(handle_, 0, SEEK_SET) == 0;
  }

  std::string read() const {
    std::string text;
    std::array<char, 1 << 16> piece{};
    lseek(handle_, 0, SEEK_SET);
    for (ssize_t got = 0; (got = ::read(handle_, piece.data(), piece.size())) > 0;) {
      text.append(piece.data(), static_cast<size_t>(got));
    }
    return text;
  }

 private:
  int handle_;
};

/// Whether `dot` made a picture of what `graph` holds.
bool run_dot(const NamelessFile& graph, const NamelessFile& picture) {
  std::array<std::string, 2> words = {"dot", "-Tsvg"};
  std::array<char*, 3> pointers = {words[0].data(), words[1].data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, graph.handle(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, picture.handle(), STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t process = 0;
  const int failure = posix_spawnp(&process, "dot", &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) return false;
  int status = 0;
  waitpid(process, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

std::string dot_of(const QuantizedNetwork& network) { return Drawing(network).text(); }

void write_graph_drawing(const std::string& path, const QuantizedNetwork& network, Log& log) {
  const std::string text = dot_of(network);
  if (fs::path(path).extension() == ".dot") return write_text(path, text);
  const NamelessFile graph_file, picture;
  if (graph_file.write(text) && run_dot(graph_file, picture)) {
    return write_text(path, picture.read());
  }
  const std::string dot_file = path + ".dot";
  write_text(dot_file, text);
  log.warning("--dump-graph: Graphviz' dot is not installed, or fails: the graph is in " +
              dot_file + " instead");
}

}  // namespace ptq::report
