#include "runtime/plan/plan.h"

#include <ATen/ops/empty.h>
#include <c10/core/InferenceMode.h>

#include <atomic>
#include <memory>

#include "ptq/base/error.h"
#include "quant/layer_quantizers.h"
#include "runtime/plan/compile.h"
#include "runtime/plan/lane.h"
#include "runtime/plan/lane_threads.h"
#include "runtime/plan/micro_batch.h"

namespace ptq::runtime {
namespace {

class Plan : public Executor {
 public:
  Plan(NetworkView network, ExecutorOptions options, int64_t micro_batch)
      : options_(std::move(options)), lanes_(static_cast<size_t>(options_.threads)) {
    if (options_.dtype != at::kFloat) throw InternalError("a plan computes in float32");
    const ir::Graph& graph = network.graph;
    image_sizes_ = ir::at_batch(graph.values.at(static_cast<size_t>(graph.input)).shape, 1);
    on_lane_threads(1, [&](int) {
      program_ = compile(prepare_plan_graph(network, options_), options_.numerics,
                         options_.arithmetic, one_at_a_time(network.table) ? 1 : micro_batch);
    });
  }

  at::Tensor run(const at::Tensor& images) override {
    check(images);
    const c10::InferenceMode no_gradients;
    const int64_t count = images.size(0);
    const int64_t classes =
        program_.slots[static_cast<size_t>(program_.outputs.front())].layout.sizes.at(1);
    const at::Tensor logits = at::empty({count, classes});
    const int64_t parts = (count + program_.micro_batch - 1) / program_.micro_batch;
    std::atomic<int64_t> next{0};
    const auto lanes = std::min<int64_t>(options_.threads, parts);
    on_lane_threads(static_cast<int>(lanes), [&](int lane) {
      Lane& own = lane_of(lane);
      if (lane == 0 && options_.observer) own.observe_constants(options_.observer, lane);
      for (int64_t part = next++; part < parts; part = next++) {
        const int64_t begin = part * program_.micro_batch;
        const int64_t length = std::min(program_.micro_batch, count - begin);
        own.run(images.narrow(0, begin, length), logits.narrow(0, begin, length), options_.observer,
                lane);
      }
    });
    return logits;
  }

 private:
  /// An observer may see no padding; a dynamic scale is that of one image.
  bool one_at_a_time(const quant::QuantizerTable& table) const {
    return options_.observer ||
           (options_.numerics == Numerics::kQuantized && quant::has_dynamic_scale(table));
  }

  /// Lanes are made by the thread that first works in them.
  Lane& lane_of(int lane) {
    std::unique_ptr<Lane>& own = lanes_[static_cast<size_t>(lane)];
    if (own == nullptr) own = std::make_unique<Lane>(program_);
    return *own;
  }

  void check(const at::Tensor& images) const {
    const bool fits = images.sizes().size() == image_sizes_.size() && images.size(0) > 0 &&
                      images.sizes().slice(1) == at::IntArrayRef(image_sizes_).slice(1) &&
                      images.scalar_type() == at::kFloat;
    if (!fits) throw InternalError("plan: images do not have the size the graph was imported for");
  }

  ExecutorOptions options_;
  Extents image_sizes_;
  Program program_;
  std::vector<std::unique_ptr<Lane>> lanes_;
};

}  // namespace

std::unique_ptr<Executor> make_plan(NetworkView network, ExecutorOptions options) {
  return make_plan(network, std::move(options), choose_micro_batch(network.graph));
}

std::unique_ptr<Executor> make_plan(NetworkView network, ExecutorOptions options,
                                    int64_t micro_batch) {
  return std::make_unique<Plan>(network, std::move(options), micro_batch);
}

}  // namespace ptq::runtime
