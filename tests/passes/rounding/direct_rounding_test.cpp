#include "direct_rounding.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/matmul.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "rounding_network.h"
#include "unfolded_columns.h"

// One layer behind an activation quantizer, random weights and inputs, two batches of unlike size.
namespace ptq::passes {
namespace {

using testing::batches_of;
using testing::Grid;
using testing::normals;
using testing::RoundingNetwork;

struct Case {
  std::string name;
  RoundingTechnique technique = RoundingTechnique::kGptq;
  bool act_order = false;
};

class Layer {
 public:
  using Build = std::function<ir::ValueId(testing::GraphBuilder&, ir::ValueId)>;

  Layer(std::vector<int64_t> image, const Build& build) : net_(image) {
    quantized_ = net_.builder.fake_quantize(net_.builder.input(), 0.25, true, 4);
    net_.finish(net_.quantize(build(net_.builder, quantized_), testing::weight_quantizer()));
    const int64_t rows = image.size() == 1 ? 10 : 1;
    image.insert(image.begin(), 20 * rows);
    batches_.push_back(related(image, 5));
    image[0] = 7 * rows;
    batches_.push_back(related(image, 6));
  }

  /// Weights whose codes are those of the direct implementation, as a share of all.
  double agreement(const Case& wanted) {
    ir::Node& node = layer();
    const Grid direct = by_hand(node, wanted);
    RoundingOptions options;
    options.technique = wanted.technique;
    options.act_order = wanted.act_order;
    options.threads = 1;
    round_weights(net_, options, {}, batches_of(batches_));
    const Grid ours = flat(weight_rows(node.op, net_.rounded(node.name)));
    int64_t same = 0, all = 0;
    for (size_t i = 0; i < ours.size(); ++i) {
      for (size_t j = 0; j < ours[i].size(); ++j, ++all) {
        same += std::abs(ours[i][j] - direct[i][j]) < 1e-4 ? 1 : 0;
      }
    }
    return static_cast<double>(same) / static_cast<double>(all);
  }

 private:
  /// A batch unfolded: [groups, K, n].
  struct Columns {
    at::Tensor quantized, in_float;
  };

  /// Normals that depend on their neighbours, some of them always zero.
  static at::Tensor related(const std::vector<int64_t>& sizes, unsigned seed) {
    at::Tensor x = normals(sizes, 1, seed);
    x = x.add(x.roll({1}, {1}), 0.7).add(x.mean({1}, true));
    x.select(1, 2).zero_();
    return x;
  }

  ir::Node& layer() {
    for (ir::Node& node : net_.graph.nodes) {
      if (ir::weighted(node.op) != nullptr) return node;
    }
    throw std::out_of_range("no layer");
  }

  /// [groups, out, K] as [groups * out, K].
  static Grid flat(const at::Tensor& rows) { return testing::grid_of(rows.flatten(0, 1)); }

  at::Tensor quantized(const at::Tensor& images) const {
    return quant::fake_quantize_activation(images, net_.table, 0);
  }

  Grid by_hand(const ir::Node& node, const Case& wanted) const {
    const at::Tensor weight = weight_rows(node.op, ir::weighted(node.op)->weight.value);
    std::vector<Columns> batches;
    for (const at::Tensor& batch : batches_) {
      batches.push_back({testing::unfolded_columns(node.op, quantized(batch)),
                         testing::unfolded_columns(node.op, batch)});
    }
    Grid all;
    for (int64_t group = 0; group < weight.size(0); ++group) {
      for (const auto& row : of_group(node, weight, group, batches, wanted)) all.push_back(row);
    }
    return all;
  }

  Grid of_group(const ir::Node& node, const at::Tensor& weight, int64_t group,
                const std::vector<Columns>& batches, const Case& wanted) const {
    const Grid w = testing::grid_of(weight[group]);
    const auto offset = static_cast<size_t>(group) * w.size();
    const at::Tensor& scale = net_.table.scale_of(ir::weighted(node.op)->weight_quantizer).value;
    const auto round = [&](size_t out, size_t, double value) {
      const double s = scale[static_cast<int64_t>(out + offset)].item<double>();
      return std::clamp(std::nearbyint(value / s), -8.0, 7.0) * s;
    };
    if (wanted.technique == RoundingTechnique::kGptq) {
      const at::Tensor x = at::cat({batches[0].in_float[group], batches[1].in_float[group]}, 1);
      return testing::gptq(w, testing::grid_of(x), wanted.act_order, round);
    }
    at::Tensor h, g;
    for (const Columns& batch : batches) {
      const at::Tensor x = batch.quantized[group], f = batch.in_float[group];
      // GPFQ counts batches alike, Qronos columns.
      const bool is_gpfq = wanted.technique == RoundingTechnique::kGpfq;
      const double factor = is_gpfq ? 1.0 / static_cast<double>(x.size(1)) : 1;
      const at::Tensor xx = at::matmul(x, x.t()).mul(factor);
      const at::Tensor xf = at::matmul(x, f.t()).mul(factor);
      h = h.defined() ? h.add(xx) : xx;
      g = g.defined() ? g.add(xf) : xf;
    }
    if (wanted.technique == RoundingTechnique::kGpfq) {
      return testing::gpfq(w, testing::grid_of(h), testing::grid_of(g), wanted.act_order, round);
    }
    const double damping = 1e-6 * largest_eigenvalue(h);
    return testing::qronos(w, testing::grid_of(h), testing::grid_of(g), damping, wanted.act_order,
                           round);
  }

  static double largest_eigenvalue(const at::Tensor& h) {
    if (h.eq(0).all().item<bool>()) return 0;
    at::Tensor vector = h.sum({1});
    for (int i = 0; i < 100; ++i) vector = at::matmul(h, vector).div(vector.norm());
    return vector.norm().item<double>();
  }

  RoundingNetwork net_;
  ir::ValueId quantized_;
  std::vector<at::Tensor> batches_;
};

class DirectRounding : public ::testing::TestWithParam<Case> {
 protected:
  static double agreement(std::vector<int64_t> image, const Layer::Build& build) {
    return Layer(std::move(image), build).agreement(GetParam());
  }
  static Layer::Build conv(int64_t out, testing::GraphBuilder::ConvOptions options) {
    return [=](testing::GraphBuilder& builder, ir::ValueId x) {
      return builder.conv(x, out, options);
    };
  }
};

TEST_P(DirectRounding, OfALinearLayerGivesTheSameIntegers) {
  EXPECT_GE(agreement({60}, [](auto& builder, ir::ValueId x) { return builder.linear(x, 96); }),
            0.999);
}

TEST_P(DirectRounding, OfAConvolutionGivesTheSameIntegers) {
  testing::GraphBuilder::ConvOptions options;
  options.stride = 2;
  EXPECT_GE(agreement({8, 9, 9}, conv(64, options)), 0.999);
}

TEST_P(DirectRounding, OfAGroupedConvolutionGivesTheSameIntegers) {
  testing::GraphBuilder::ConvOptions options;
  options.groups = 3;
  EXPECT_GE(agreement({12, 6, 6}, conv(72, options)), 0.999);
}

TEST_P(DirectRounding, OfADepthwiseConvolutionGivesTheSameIntegers) {
  testing::GraphBuilder::ConvOptions options;
  options.groups = 120;
  EXPECT_GE(agreement({120, 6, 6}, conv(120, options)), 0.999);
}

INSTANTIATE_TEST_SUITE_P(Techniques, DirectRounding,
                         ::testing::Values(Case{"gptq"}, Case{"gptq_act_order", {}, true},
                                           Case{"gpfq", RoundingTechnique::kGpfq},
                                           Case{"gpfq_act_order", RoundingTechnique::kGpfq, true},
                                           Case{"qronos", RoundingTechnique::kQronos},
                                           Case{"qronos_act_order", RoundingTechnique::kQronos,
                                                true}),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace ptq::passes
