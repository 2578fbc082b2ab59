#include "workflow/function_watch.h"

#include <ATen/ops/cat.h>

#include <algorithm>

#include "ptq/runtime/executor.h"
#include "workflow/kept_calibration.h"
#include "workflow/technique_words.h"

namespace ptq::workflow {
namespace {

bool is_technique(const std::string& pass) {
  return pass == "equalize-graph" || pass == "split-channels";
}

}  // namespace

const at::Tensor& FunctionWatch::images() {
  if (pixels_.defined()) return pixels_;
  std::vector<at::Tensor> parts;
  data::Batches batches(images_->in_batches_of(kFunctionImages), context_.execution.device);
  while (batches.done() < kFunctionImages) {
    const std::optional<at::Tensor> batch = batches.next();
    if (!batch) break;
    parts.push_back(*batch);
  }
  const at::Tensor all = at::cat(parts);
  pixels_ = all.narrow(0, 0, std::min(all.size(0), kFunctionImages));
  return pixels_;
}

at::Tensor FunctionWatch::run_float(const ir::Graph& graph) {
  return check_logits(graph, context_, [&] {
    runtime::ExecutorOptions options;
    options.numerics = runtime::Numerics::kFloat;
    options.threads = context_.execution.threads;
    const auto network = context_.execution.compile ? runtime::make_plan(graph, options)
                                                    : runtime::make_interpreter(graph, options);
    return network->run(images()).to(at::kCPU);
  });
}

const at::Tensor& FunctionWatch::logits() {
  if (!logits_.defined()) logits_ = run_float(network_);
  return logits_;
}

eval::FunctionChange FunctionWatch::measure(const std::string& step, const ir::Graph& after) {
  return eval::function_change(step, logits(), run_float(after));
}

void FunctionWatch::move_to(const ir::Graph& graph) {
  network_ = graph;
  logits_.reset();
}

void FunctionWatch::note(const std::string& step, const ir::Graph& after) {
  if (!is_on()) return;
  timed(context_.log, "function check", [&] {
    const at::Tensor before = logits();
    move_to(after);
    add({eval::function_change(step, before, logits()), {}});
  });
}

void FunctionWatch::note_preparation(const std::vector<Snapshot>& passes) {
  if (!is_on()) return;
  const auto first = std::find_if(passes.begin(), passes.end(), [](const Snapshot& snapshot) {
    return is_technique(snapshot.pass);
  });
  if (first != passes.begin()) {
    timed(context_.log, "function check", [&] {
      FunctionRow row{measure("preparation", std::prev(first)->graph), {}};
      if (!row.change.is_rounding()) row.passes = culprits({passes.begin(), first});
      move_to(std::prev(first)->graph);
      add(std::move(row));
    });
  }
  for (auto technique = first; technique != passes.end(); ++technique) {
    note(technique->pass, technique->graph);
  }
}

std::vector<std::string> FunctionWatch::culprits(const std::vector<Snapshot>& passes) {
  std::vector<std::string> names;
  at::Tensor before = logits();
  for (const Snapshot& snapshot : passes) {
    const at::Tensor after = run_float(snapshot.graph);
    if (!eval::function_change(snapshot.pass, before, after).is_rounding()) {
      names.push_back(snapshot.pass);
    }
    before = after;
  }
  return names;
}

void FunctionWatch::add(FunctionRow row) {
  context_.log.line(function_line(row));
  if (!row.change.is_rounding()) context_.log.warning(function_warning(row));
  rows_.push_back(std::move(row));
}

std::optional<Relu6Choice> choose_relu6(const ir::Graph& imported, const QuantizeConfig& config,
                                        const std::optional<data::ImageSet>& images,
                                        const Context& context) {
  if (!config.hand_defined.empty() || !passes::has_relu6(imported)) return std::nullopt;
  if (config.relu6 == Relu6Rule::kRelu) return Relu6Choice{passes::Relu6::kRelu, {}};
  if (config.relu6 == Relu6Rule::kKeep) return Relu6Choice{passes::Relu6::kKeep, {}};
  if (!images) return Relu6Choice{passes::Relu6::kKeep, {}};
  FunctionWatch watch(images, context, imported);
  Relu6Choice choice;
  choice.replaced = timed(context.log, "function check", [&] {
    return watch.measure("relu6-to-relu", passes::with_relu_for_relu6(imported));
  });
  if (!choice.replaced->is_rounding()) choice.becomes = passes::Relu6::kKeep;
  context.log.line(relu6_line(choice));
  return choice;
}

}  // namespace ptq::workflow
