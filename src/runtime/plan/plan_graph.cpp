#include "runtime/plan/plan_graph.h"

#include <c10/util/Exception.h>

#include <exception>

#include "base/execution_error.h"
#include "ptq/base/error.h"
#include "quant/fake_quantize.h"
#include "quant/integer_arithmetic.h"
#include "runtime/execute_op.h"

namespace ptq::runtime {
namespace {

/// Whether an operation's attributes grow with the batch.
struct GrowsWithBatch {
  bool result = false;

  void operator()(std::string_view, const ir::Dim& dim) { result = result || dim.times_batch; }
  void operator()(std::string_view name, const ir::Dims& dims) {
    for (const ir::Dim& dim : dims) (*this)(name, dim);
  }
  void operator()(std::string_view name, const std::vector<ir::Argument>& arguments) {
    for (const ir::Argument& argument : arguments) {
      if (const auto* dim = std::get_if<ir::Dim>(&argument)) (*this)(name, *dim);
      if (const auto* dims = std::get_if<ir::Dims>(&argument)) (*this)(name, *dims);
    }
  }
  template <class Other>
  void operator()(std::string_view, const Other&) {}
};

bool grows_with_batch(const ir::Op& op) {
  GrowsWithBatch visit;
  std::visit([&](const auto& typed) { typed.attributes(typed, visit); }, op);
  return visit.result;
}

class Preparation {
 public:
  Preparation(NetworkView original, const ExecutorOptions& options)
      : options_(options), plan_{original.table, original.graph} {
    plan_.constants.resize(original.graph.values.size());
    auto node = original.graph.nodes.begin();
    for (const ir::Node& copy : plan_.graph.nodes) originals_.emplace(&copy, &*node++);
  }

  PlanGraph run() {
    note_observed();
    if (options_.numerics == Numerics::kFloat) remove_fake_quantize();
    fold_constants();
    return std::move(plan_);
  }

 private:
  void note_observed() {
    for (const ir::Node& node : plan_.graph.nodes) {
      if (!options_.sees(*originals_.at(&node))) continue;
      plan_.observed[source(node.inputs[0])].push_back(originals_.at(&node));
    }
  }

  /// `value`, or in kFloat what it is a fake quantization of.
  ir::ValueId source(ir::ValueId value) const {
    if (options_.numerics != Numerics::kFloat) return value;
    for (const ir::Node& node : plan_.graph.nodes) {
      if (node.outputs[0] == value && node.is<ir::FakeQuantize>()) return source(node.inputs[0]);
    }
    return value;
  }

  void remove_fake_quantize() {
    auto& nodes = plan_.graph.nodes;
    for (auto node = nodes.begin(); node != nodes.end();) {
      if (!node->is<ir::FakeQuantize>()) {
        ++node;
        continue;
      }
      plan_.graph.replace_uses(node->output(), node->inputs[0]);
      node = nodes.erase(node);
    }
  }

  void fold_constants() {
    auto& nodes = plan_.graph.nodes;
    for (auto node = nodes.begin(); node != nodes.end();) {
      if (!can_fold(*node)) {
        ++node;
        continue;
      }
      run_named(node->name, [&] { plan_.constants[at(node->output())] = compute(*node); });
      node = nodes.erase(node);
    }
  }

  bool can_fold(const ir::Node& node) const {
    if (ir::weighted(node.op) != nullptr || grows_with_batch(node.op)) return false;
    return std::all_of(node.inputs.begin(), node.inputs.end(),
                       [&](ir::ValueId value) { return plan_.is_constant(value); });
  }

  at::Tensor compute(const ir::Node& node) const {
    std::vector<at::Tensor> inputs;
    for (const ir::ValueId value : node.inputs) inputs.push_back(plan_.constants[at(value)]);
    if (const auto* fake = node.as<ir::FakeQuantize>()) {
      return quant::fake_quantize_activation(inputs[0], plan_.table, fake->quantizer);
    }
    return execute_op(node.op, inputs, 1);
  }

  static size_t at(ir::ValueId value) { return static_cast<size_t>(value); }

  const ExecutorOptions& options_;
  PlanGraph plan_;
  std::unordered_map<const ir::Node*, const ir::Node*> originals_;
};

}  // namespace

std::unordered_set<ir::ValueId> PlanGraph::observed_values() const {
  std::unordered_set<ir::ValueId> values;
  for (const auto& entry : observed) values.insert(entry.first);
  return values;
}

PlanGraph PlanGraph::without_nodes() const {
  PlanGraph part{table};
  part.graph.values = graph.values;
  part.graph.output = graph.output;
  part.constants = constants;
  return part;
}

PlanGraph prepare_plan_graph(NetworkView original, const ExecutorOptions& options) {
  return Preparation(original, options).run();
}

void run_named(const std::string& node, const std::function<void()>& action) {
  try {
    action();
  } catch (const quant::NotANumber& error) {
    throw QuantizationError(node + ": " + error.what());
  } catch (const Error&) {
    throw;
  } catch (const c10::Error& error) {
    throw ExecutionError(node + ": " + error.what_without_backtrace());
  } catch (const std::exception& error) {
    throw ExecutionError(node + ": " + error.what());
  }
}

}  // namespace ptq::runtime
