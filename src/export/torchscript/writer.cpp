#include "export/torchscript/writer.h"

#include <c10/core/InferenceMode.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>

#include <map>
#include <streambuf>

#include "base/atomic_file.h"
#include "base/first_sentence.h"
#include "export/exportable.h"
#include "export/torchscript/opaque.h"
#include "export/torchscript/text.h"
#include "ptq/base/error.h"

namespace ptq::exporting {
namespace {

using torch::jit::CompilationUnit;
using torch::jit::Module;

/// A module for each folder of the tensors' paths.
class ModuleTree {
 public:
  ModuleTree() : root_(make("QuantizedNetwork")) {}

  void keep(const std::string& path, const at::Tensor& tensor) {
    const size_t dot = path.rfind('.');
    const bool at_top = dot == std::string::npos;
    Module module = at_top ? root_ : folder(path.substr(0, dot));
    module.register_buffer(at_top ? path : path.substr(dot + 1), tensor.detach().cpu());
  }
  Module& root() { return root_; }

 private:
  /// Two classes of one name cannot be saved in one file. `training` is what Python's eval() sets.
  Module make(const std::string& name) const {
    Module module(c10::QualifiedName("__torch__.ptq_eval." + name), unit_);
    module.register_attribute("training", c10::BoolType::get(), false);
    return module;
  }

  Module folder(const std::string& path) {
    const auto found = folders_.find(path);
    if (found != folders_.end()) return found->second;
    const size_t dot = path.rfind('.');
    const bool at_top = dot == std::string::npos;
    Module parent = at_top ? root_ : folder(path.substr(0, dot));
    Module made = make("Module" + std::to_string(folders_.size()));
    parent.register_module(at_top ? path : path.substr(dot + 1), made);
    folders_.emplace(path, made);
    return made;
  }

  std::shared_ptr<CompilationUnit> unit_ = std::make_shared<CompilationUnit>();
  std::map<std::string, Module> folders_;
  Module root_;
};

/// LibTorch's writer of archives throws from its destructor where a write fails. So here none
/// does, and `target` remembers.
class UnfailingBuffer final : public std::streambuf {
 public:
  explicit UnfailingBuffer(std::ostream& target) : target_(target) {}

 protected:
  std::streamsize xsputn(const char* bytes, std::streamsize count) override {
    target_.write(bytes, count);
    return count;
  }
  int_type overflow(int_type byte) override {
    target_.put(traits_type::to_char_type(byte));
    return traits_type::not_eof(byte);
  }

 private:
  std::ostream& target_;
};

void save(const Module& module, const ExportOptions& options, const std::string& path) {
  AtomicFile file(path);
  UnfailingBuffer buffer(file.stream());
  std::ostream stream(&buffer);
  module.save(stream, {options.metadata.begin(), options.metadata.end()});
  file.commit();
}

/// Whether LibTorch's compiler takes the call: its schema may have arguments that the language
/// cannot write down.
void check_opaque(const ir::Opaque& op, const ir::Node& node) {
  ScriptBuilder builder;
  std::vector<std::string> inputs;
  std::string parameters = "self";
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    inputs.push_back("input" + std::to_string(i));
    parameters += ", " + inputs.back();
  }
  parameters += ", " + ScriptBuilder::images();
  const std::string result = builder.assign(node.name, opaque_call(op, inputs, node.name, builder));
  ModuleTree tree;
  const ScriptText text = builder.finish(result);
  for (const auto& [path, tensor] : text.tensors) tree.keep(path, tensor);
  std::string method = text.forward;
  const std::string signature = "(self, images)";
  method.replace(method.find(signature), signature.size(), "(" + parameters + ")");
  try {
    tree.root().define(method);
  } catch (const std::exception& error) {
    throw ExportError("TorchScript cannot express what " + node.name + " computes with " +
                      op.schema + ": " + first_sentence(error));
  }
}

/// Codes are made in float32.
void check_bit_widths(const quant::QuantizerTable& table) {
  constexpr int kExactBits = 24;
  for (const quant::Quantizer& quantizer : table.quantizers) {
    const int bits = quant::bit_width(quantizer.format);
    if (quantizer.kind == quant::QuantizerKind::kBias || bits <= kExactBits) continue;
    throw ExportError("TorchScript cannot express " + part_of_layer(quantizer) + ": its " +
                      std::to_string(bits) + " bits are more than float32 represents exactly, " +
                      std::to_string(kExactBits));
  }
}

class TorchScriptModel final : public ExportedModel {
 public:
  TorchScriptModel(const std::string& path, Module module)
      : path_(path), module_(std::move(module)) {}

  at::Tensor run(const at::Tensor& images) override {
    const c10::InferenceMode no_gradients;
    // Operation by operation: where LibTorch has LLVM, fusing them compiles for minutes.
    const torch::jit::GraphOptimizerEnabledGuard as_written(false);
    try {
      return module_.forward({images}).toTensor().to(at::kFloat).contiguous();
    } catch (const std::exception& error) {
      throw ExportError(path_ + " does not run: " + first_sentence(error));
    }
  }
  NamedValues values(const at::Tensor&, const std::vector<std::string>&) override { return {}; }

 private:
  std::string path_;
  Module module_;
};

}  // namespace

void check_torchscript(const QuantizedNetwork& network) {
  check_quantizers(network.table, {"TorchScript", true, false, false});
  check_bit_widths(network.table);
  for (const ir::Node& node : network.graph.nodes) {
    if (const auto* op = node.as<ir::Opaque>()) check_opaque(*op, node);
  }
}

void write_torchscript(const QuantizedNetwork& network, const ExportOptions& options,
                       const std::string& path) {
  const ScriptText text = script_text(network);
  ModuleTree tree;
  for (const auto& [name, tensor] : text.tensors) tree.keep(name, tensor);
  try {
    tree.root().define(text.forward);
    save(tree.root(), options, path);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw ExportError(path + " cannot be written: " + first_sentence(error));
  }
}

std::unique_ptr<ExportedModel> load_torchscript(const std::string& path) {
  try {
    Module module = torch::jit::load(path, at::Device(at::kCPU));
    module.eval();
    return std::make_unique<TorchScriptModel>(path, std::move(module));
  } catch (const std::exception& error) {
    throw ExportError(path + " cannot be read as TorchScript: " + first_sentence(error));
  }
}

}  // namespace ptq::exporting
