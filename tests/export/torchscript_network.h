#pragma once

#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "export/torchscript/writer.h"
#include "ptq/runtime/executor.h"
#include "support/graph_builder.h"
#include "support/run_graph.h"
#include "support/temporary_folder.h"

namespace ptq::exporting::testing {

using ptq::testing::GraphBuilder;

inline std::unique_ptr<ExportedModel> exported(const QuantizedNetwork& network,
                                               const support::TemporaryFolder& folder) {
  const std::string path = folder.file("network.pt");
  check_torchscript(network);
  write_torchscript(network, {}, path);
  return load_torchscript(path);
}

/// The file computes the interpreter's logits, bit for bit, whatever the batch.
inline void expect_same(const QuantizedNetwork& network) {
  const support::TemporaryFolder folder;
  const auto model = exported(network, folder);
  const auto interpreter =
      runtime::make_interpreter(network, {runtime::Numerics::kQuantized, {}, 1});
  for (const int64_t batch : {1, 4}) {
    const at::Tensor images = ptq::testing::images_for(network.graph, batch);
    EXPECT_TRUE(at::equal(model->run(images), interpreter->run(images))) << "batch " << batch;
  }
}

/// A convolution whose weight and input are quantized, named `name`.
struct Network {
  GraphBuilder builder;
  ir::Graph graph;

  explicit Network(const std::string& name = "features.0") {
    const ir::ValueId quantized = builder.fake_quantize(builder.input(), 0.1);
    const ir::ValueId conv = builder.conv(quantized, 4);
    builder.graph.nodes.back().name = name;
    builder.quantize_weight(conv, 0.01);
    graph = builder.finish(conv);
  }
  quant::Quantizer& activation() { return builder.table.at(0); }
  quant::Quantizer& weight() { return builder.table.at(1); }
};

}  // namespace ptq::exporting::testing
