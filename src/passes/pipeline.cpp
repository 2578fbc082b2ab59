#include "passes/pipeline.h"

#include <algorithm>
#include <chrono>
#include <memory>

#include "passes/pass.h"

namespace ptq::passes {
namespace {

/// The order, in plain sight. A pass that ran before finds nothing left.
std::vector<std::unique_ptr<Pass>> preparation(const PreparationOptions& options) {
  std::vector<std::unique_ptr<Pass>> passes;
  if (options.preparation == Preparation::kFlexml) {
    passes.push_back(std::make_unique<MeanToAvgPool>());      // means are pooled like the rest
    passes.push_back(std::make_unique<AdaptiveToAvgPool>());  // pools of fixed windows
  }
  if (options.relu6 == Relu6::kRelu) {
    passes.push_back(std::make_unique<Relu6ToRelu>());  // positive scales pass a relu
  }
  passes.push_back(std::make_unique<MeanToAvgPool>());              // one form of global pooling
  passes.push_back(std::make_unique<CollapseConcats>());            // one shared scale a concat
  passes.push_back(std::make_unique<MoveBatchNormBeforeConcat>());  // so that it can be merged
  if (options.merge_batch_norm) passes.push_back(std::make_unique<MergeBatchNorm>());
  if (options.equalization.iterations > 0) {
    passes.push_back(std::make_unique<EqualizeGraph>(options.equalization));  // after all merging
  }
  if (options.splitting.ratio > 0) {
    passes.push_back(std::make_unique<SplitChannels>(options.splitting));  // what is still largest
  }
  return passes;
}

PassReport run(const Pass& pass, ir::Graph& graph) {
  const auto start = std::chrono::steady_clock::now();
  PassReport report{std::string(pass.name()), pass.run(graph), 0};
  ir::verify(graph);
  const std::chrono::duration<double, std::milli> elapsed =
      std::chrono::steady_clock::now() - start;
  report.milliseconds = elapsed.count();
  return report;
}

}  // namespace

std::vector<PassReport> prepare(ir::Graph& graph, const PreparationOptions& options,
                                const AfterPass& after_pass) {
  std::vector<PassReport> reports;
  for (const auto& pass : preparation(options)) {
    reports.push_back(run(*pass, graph));
    if (after_pass && reports.back().changes > 0) after_pass(reports.back().name, graph);
  }
  return reports;
}

bool has_relu6(const ir::Graph& graph) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(), is_relu6);
}

ir::Graph with_relu_for_relu6(ir::Graph graph) {
  Relu6ToRelu().run(graph);
  return graph;
}

}  // namespace ptq::passes
