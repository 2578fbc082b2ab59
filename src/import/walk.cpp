#include "import/walk.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/runtime/operator.h>

#include <unordered_set>

#include "base/first_sentence.h"
#include "import/call.h"
#include "import/containers.h"
#include "import/forward.h"
#include "import/guard/budget.h"
#include "import/guard/operators.h"
#include "import/lower.h"
#include "import/messages.h"
#include "import/recorder.h"
#include "import/result_memory.h"
#include "import/sampled_products.h"
#include "ptq/base/error.h"

namespace ptq::import {
namespace {

using c10::IValue;
using torch::jit::Block;
using torch::jit::Node;
using Values = std::vector<IValue>;
namespace attr = c10::attr;
namespace prim = c10::prim;

/// Values of one graph while it runs.
using Environment = std::unordered_map<const torch::jit::Value*, IValue>;

class Walker {
 public:
  Walker(const ModuleNames& names, Recorder& recorder, Products products)
      : names_(names), recorder_(recorder), products_(products) {}

  IValue call_method(const IValue& object, const std::string& method, Values arguments);
  const Precisions& precisions() const { return precisions_; }

 private:
  Values run_function(torch::jit::Function& function, Values arguments);
  Values run_graph(const torch::jit::Graph& graph, Values inputs);
  Values run_block(const Block& block, Environment& environment);
  void run_node(Node& node, Environment& environment);
  Values evaluate(Node& node, Environment& environment, Values inputs);
  Values evaluate_container(Node& node, Values inputs);
  Values run_if(Node& node, Environment& environment, const Values& inputs);
  Values run_loop(Node& node, Environment& environment, Values inputs);
  Values run_operator(Node& node, Values inputs);
  Values run_call(Node& node, const Call& call);
  Values execute(Node& node, Values inputs);

  const ModuleNames& names_;
  Recorder& recorder_;
  const Products products_;
  Precisions precisions_;
};

/// Without effect on what a classifier computes, and not to be run: warnings would print, and the
/// walk chooses the gradient mode itself.
bool is_silent(c10::Symbol kind) {
  const std::string name = kind.toQualString();
  return name == "aten::warn" || name == "prim::Print" || name == "aten::set_grad_enabled";
}

/// nn.MultiheadAttention takes a fused path unless gradients are wanted; the other path is made of
/// operations that can be quantized.
bool asks_for_gradients(c10::Symbol kind) {
  const std::string name = kind.toQualString();
  return name == "aten::is_grad_enabled" || name == "prim::requires_grad";
}

/// A reshape that works for one batch size only is how a trace fails.
std::string hint(const std::string& name) {
  const bool fixes_sizes = name == "view" || name == "reshape" || name == "expand";
  return fixes_sizes ? ", perhaps because the model was traced with a fixed batch size" : "";
}

/// Hands its first input on: a move to another device, a cast that autocast made, the end of a
/// branch that ran where it was forked.
bool is_idle(c10::Symbol kind) {
  static const std::unordered_set<std::string> names = {"aten::wait", "aten::cuda", "aten::cpu",
                                                        "aten::_autocast_to_reduced_precision",
                                                        "aten::_autocast_to_full_precision"};
  return names.count(kind.toQualString()) > 0;
}

IValue Walker::call_method(const IValue& object, const std::string& method, Values arguments) {
  const auto& instance = object.toObjectRef();
  const ModuleInfo* module = names_.module(&instance);
  arguments.insert(arguments.begin(), object);
  if (module != nullptr) recorder_.enter(*module);
  Values results = run_function(instance.type()->getMethod(method), std::move(arguments));
  if (module != nullptr) recorder_.leave();
  return results.empty() ? IValue() : std::move(results.front());
}

Values Walker::run_function(torch::jit::Function& function, Values arguments) {
  function.ensure_defined();
  auto* graph_function = torch::jit::tryToGraphFunction(function);
  if (graph_function == nullptr) {
    throw ImportError("the built-in function " + function.name() + " is not supported");
  }
  return run_graph(*graph_function->graph(), std::move(arguments));
}

Values Walker::run_graph(const torch::jit::Graph& graph, Values inputs) {
  Environment environment;
  for (size_t i = 0; i < inputs.size(); ++i) environment[graph.inputs()[i]] = std::move(inputs[i]);
  return run_block(*graph.block(), environment);
}

Values Walker::run_block(const Block& block, Environment& environment) {
  for (Node* node : const_cast<Block&>(block).nodes()) run_node(*node, environment);
  Values results;
  for (const auto* output : block.outputs()) results.push_back(environment.at(output));
  return results;
}

void Walker::run_node(Node& node, Environment& environment) {
  Budget::spend_step(recorder_.nodes());
  Values inputs;
  for (const auto* input : node.inputs()) {
    const auto found = environment.find(input);
    inputs.push_back(found == environment.end() ? IValue() : found->second);
  }
  Values results = evaluate(node, environment, std::move(inputs));
  for (size_t i = 0; i < node.outputs().size(); ++i) {
    environment[node.outputs()[i]] = i < results.size() ? std::move(results[i]) : IValue();
  }
}

Values Walker::evaluate(Node& node, Environment& environment, Values inputs) {
  switch (node.kind()) {
    case prim::If:
      return run_if(node, environment, inputs);
    case prim::Loop:
      return run_loop(node, environment, std::move(inputs));
    case prim::CallMethod: {
      Values arguments(inputs.begin() + 1, inputs.end());
      return {call_method(inputs.front(), node.s(attr::name), std::move(arguments))};
    }
    case prim::CallFunction: {
      const auto type = node.input(0)->type()->expect<c10::FunctionType>();
      return run_function(*type->function(), Values(inputs.begin() + 1, inputs.end()));
    }
    case prim::fork:
      return run_graph(*node.g(attr::Subgraph), std::move(inputs));  // nothing else runs meanwhile
    case prim::Enter:
      return {call_method(inputs.front(), "__enter__", {})};
    case prim::Exit:
      return {call_method(inputs.front(), "__exit__", Values(inputs.begin() + 1, inputs.end()))};
    case prim::RaiseException:
      throw ImportError(join_path(recorder_.module(), "forward") + " stops with \"" +
                        inputs.front().toStringRef() + "\"");
    default:
      return evaluate_container(node, std::move(inputs));
  }
}

Values Walker::evaluate_container(Node& node, Values inputs) {
  switch (node.kind()) {
    case prim::Constant:
      return {plain(constant(node), precisions_)};
    case prim::Uninitialized:
      return {IValue::uninitialized()};
    case prim::GetAttr:
      return {plain(inputs.front().toObjectRef().getAttr(node.s(attr::name)), precisions_)};
    case prim::SetAttr:
      inputs.front().toObject()->setAttr(node.s(attr::name), inputs[1]);
      return {};
    case prim::CreateObject:
      return {make_object(node)};
    case prim::TupleConstruct:
      return {c10::ivalue::Tuple::create(std::move(inputs))};
    case prim::ListConstruct:
      return {make_list(node, std::move(inputs))};
    case prim::DictConstruct:
      return {make_dict(node, inputs)};
    case prim::TupleUnpack:
    case prim::ListUnpack:
      return elements_of(inputs.front());
    case prim::TupleIndex:
      return {elements_of(inputs[0]).at(static_cast<size_t>(inputs[1].toInt()))};
    case prim::isinstance:
      return {has_one_of_types(node, inputs.front())};
    case prim::unchecked_cast:
      return {inputs.front()};
    default:
      return run_operator(node, std::move(inputs));
  }
}

Values Walker::run_if(Node& node, Environment& environment, const Values& inputs) {
  const size_t branch = inputs.front().toBool() ? 0 : 1;
  return run_block(*node.blocks()[branch], environment);
}

/// Inputs of the node: trip count, condition, carried values. Inputs of its block: iteration,
/// carried values; outputs: condition, carried values.
Values Walker::run_loop(Node& node, Environment& environment, Values inputs) {
  const int64_t trips = inputs[0].toInt();
  bool go_on = inputs[1].toBool();
  Values carried(inputs.begin() + 2, inputs.end());
  const Block& body = *node.blocks()[0];
  for (int64_t trip = 0; go_on && trip < trips; ++trip) {
    environment[body.inputs()[0]] = trip;
    for (size_t i = 0; i < carried.size(); ++i) environment[body.inputs()[i + 1]] = carried[i];
    Values results = run_block(body, environment);
    go_on = results.front().toBool();
    carried.assign(results.begin() + 1, results.end());
  }
  return carried;
}

Values Walker::run_operator(Node& node, Values inputs) {
  if (is_silent(node.kind())) return {};
  if (Budget::limited()) check_operator(node.kind());
  if (asks_for_gradients(node.kind())) return {IValue(true)};
  if (is_idle(node.kind())) return {inputs.front()};
  if (node.maybeSchema() == nullptr) return execute(node, std::move(inputs));

  make_plain(node.schema(), inputs, precisions_);
  Call call;
  call.name = plain_name(node.kind().toQualString());
  call.schema = node.maybeSchema();
  call.arguments = std::move(inputs);
  prepare_call(call, recorder_);
  Values results = run_call(node, call);
  for (IValue& result : results) result = plain(result, precisions_);
  settle_memory(call, results);
  call.results = tensors_of(results);
  record_call(call, recorder_);
  return results;
}

Values Walker::run_call(Node& node, const Call& call) {
  if (products_ == Products::kSampled && recorder_.follows(tensors_of(call.arguments))) {
    if (auto few = sampled(call)) {
      const Values places = execute(node, to_meta(call.arguments));
      return in_places_of(places, execute(node, std::move(*few)));
    }
  }
  return execute(node, call.arguments);
}

Values Walker::execute(Node& node, Values inputs) {
  const c10::FunctionSchema* schema = node.maybeSchema();
  if (schema != nullptr && schema->is_vararg())
    inputs.emplace_back(static_cast<int64_t>(inputs.size()));
  try {
    node.getOperation()(inputs);
    return inputs;
  } catch (const std::exception& error) {
    const std::string name = plain_name(node.kind().toQualString());
    throw ImportError(join_path(recorder_.module(), name) + " (" + node.kind().toQualString() +
                      ") fails: " + first_sentence(error) + hint(name));
  }
}

}  // namespace

void check_forward(const torch::jit::Module& module) {
  const auto method = module.find_method("forward");
  if (!method) throw ImportError("has no forward method");
  check_arguments(method->function().getSchema());
}

Walked walk(const torch::jit::Module& module, const ModuleNames& names, const at::Tensor& images,
            const Seen& seen, Products products) {
  const at::NoGradGuard no_grad;
  Recorder recorder(names, seen);
  recorder.start(images);
  Walker walker(names, recorder, products);
  const auto method = module.get_method("forward");
  const Values arguments = forward_arguments(method.function().getSchema(), images);
  const at::Tensor output = logits_of(walker.call_method(module._ivalue(), "forward", arguments));
  if (!recorder.follows(output))
    throw ImportError("forward's output does not depend on the images");
  return {recorder.finish(output), output, walker.precisions()};
}

}  // namespace ptq::import
