#include "support/random_network.h"

#include <array>

#include "support/random_layers.h"

namespace ptq::testing {
namespace {

using Value = ir::ValueId;

ir::Reshape reshape(const std::vector<ir::Dim>& shape) { return {shape}; }
ir::Dim extent(int64_t value) { return {value, false}; }
ir::Dim times_batch(int64_t value) { return {value, true}; }

/// Blocks from [N, C, H, W] to the like.
class Blocks {
 public:
  explicit Blocks(RandomLayers& layers) : net_(layers) {}

  Value any(Value x) {
    using Block = Value (Blocks::*)(Value);
    static constexpr std::array<Block, 15> kBlocks = {
        &Blocks::chain,        &Blocks::residual,   &Blocks::projected,    &Blocks::depthwise,
        &Blocks::grouped,      &Blocks::transposed, &Blocks::inception,    &Blocks::joined,
        &Blocks::dense,        &Blocks::pool,       &Blocks::gated,        &Blocks::shuffled,
        &Blocks::shared_input, &Blocks::repeated,   &Blocks::channels_last};
    return (this->*kBlocks[static_cast<size_t>(net_.pick(0, kBlocks.size() - 1))])(x);
  }

 private:
  Value chain(Value x) {
    x = net_.layer(x, net_.width(), {net_.chance(0.5) ? 1 : 3, 1, 1});
    if (net_.chance(0.2)) x = net_.add(ir::MulScalar{0.5}, {x});
    if (net_.chance(0.1)) x = net_.add(ir::AddScalar{0.25}, {x});
    return net_.layer(x, net_.width(), {3, net_.height(x) > 4 ? 2 : 1, 1});
  }
  Value residual(Value x) {
    const Value y = net_.layer(net_.layer(x, net_.width(), {3, 1, 1}), net_.channels(x), {1, 1, 1});
    return net_.activation(net_.add(ir::Add{}, {x, y}));
  }
  Value projected(Value x) {
    const int64_t out = net_.width();
    const Value shortcut = net_.batch_norm(net_.conv(x, out, {1, 1, 1}));
    const Value y = net_.batch_norm(net_.conv(net_.layer(x, net_.width(), {3, 1, 1}), out, {}));
    return net_.add(ir::Relu{}, {net_.add(ir::Add{}, {y, shortcut})});
  }
  Value depthwise(Value x) {
    const Value wide = net_.layer(x, net_.width(), {1, 1, 1});
    const int64_t count = net_.channels(wide);
    return net_.layer(net_.layer(wide, count, {3, 1, count}), net_.width(), {1, 1, 1});
  }
  Value grouped(Value x) {
    return net_.layer(net_.layer(x, net_.width(), {3, 1, 2}), net_.width(), {1, 1, 1});
  }
  Value transposed(Value x) {
    if (net_.height(x) > 8) return pool(x);
    return net_.activation(net_.transposed(x, net_.width(), net_.chance(0.2) ? 2 : 1));
  }
  Value inception(Value x) {
    std::vector<Value> branches = {branch(x), net_.layer(branch(x), net_.width(), {})};
    if (net_.chance(0.5)) branches.push_back(net_.conv(padded_pool(x), net_.width(), {1, 1, 1}));
    if (net_.chance(0.2)) branches.push_back(x);
    Value y = net_.add(ir::Concat{1}, branches);
    if (net_.chance(0.3)) y = net_.add(ir::Concat{1}, {y, branch(x)});
    if (net_.chance(0.3)) y = net_.activation(net_.batch_norm(y));
    return y;
  }
  Value branch(Value x) {
    const bool bare = net_.chance(0.5);
    return bare ? net_.conv(x, net_.width(), {1, 1, 1}) : net_.layer(x, net_.width(), {1, 1, 1});
  }
  /// A batch norm that can move before the concat.
  Value joined(Value x) {
    const Value a = net_.conv(x, net_.width(), {1, 1, 1}), b = net_.conv(x, net_.width(), {});
    return net_.activation(net_.batch_norm(net_.add(ir::Concat{1}, {a, b})));
  }
  Value dense(Value x) {
    for (int64_t i = net_.pick(1, 2); i > 0; --i) {
      const Value y = net_.add(ir::Relu{}, {net_.batch_norm(x)});
      x = net_.add(ir::Concat{1}, {x, net_.conv(net_.layer(y, net_.width(), {1, 1, 1}), 4, {})});
    }
    return x;
  }
  Value padded_pool(Value x) {
    if (net_.chance(0.5)) return net_.add(ir::MaxPool{{3, 3}, {1, 1}, {1, 1}, {1, 1}, false}, {x});
    return net_.add(ir::AvgPool{{3, 3}, {1, 1}, {1, 1}, false, true, {}}, {x});
  }
  Value pool(Value x) {
    if (net_.height(x) < 4) return padded_pool(x);
    if (net_.chance(0.5)) return net_.add(ir::MaxPool{{2, 2}, {2, 2}, {0, 0}, {1, 1}, false}, {x});
    return net_.add(ir::AvgPool{{2, 2}, {2, 2}, {0, 0}, false, true, {}}, {x});
  }
  /// Squeeze and excitation.
  Value gated(Value x) {
    x = net_.layer(x, net_.width(), {});
    Value gate = net_.add(ir::AdaptiveAvgPool{{1, 1}}, {x});
    gate = net_.conv(net_.activation(net_.conv(gate, 4, {1, 1, 1})), net_.channels(x), {1, 1, 1});
    return net_.add(ir::Mul{}, {net_.add(ir::Sigmoid{}, {gate}), x});
  }
  /// One half passes, the other goes through layers, and channels are shuffled.
  Value shuffled(Value x) {
    const int64_t half = net_.channels(x) / 2, size = net_.height(x);
    if (net_.channels(x) % 2 != 0) return chain(x);
    const Value kept = net_.add(ir::Slice{1, extent(0), extent(half), 1}, {x});
    const Value rest = net_.add(ir::Slice{1, extent(half), extent(2 * half), 1}, {x});
    Value y = net_.add(ir::Concat{1}, {kept, net_.layer(rest, half, {1, 1, 1})});
    y = net_.add(reshape({times_batch(1), extent(2), extent(half), extent(size), extent(size)}),
                 {y});
    y = net_.add(ir::Permute{{0, 2, 1, 3, 4}}, {y});
    return net_.add(reshape({times_batch(1), extent(2 * half), extent(size), extent(size)}), {y});
  }
  Value shared_input(Value x) {
    const int64_t out = net_.width();
    x = net_.layer(x, net_.width(), {});
    const Value a = net_.conv(x, out, {1, 1, 1});
    const Value b = net_.layer(x, out, {3, 1, 1});
    const Value sum = net_.add(ir::Add{}, {a, b});
    return net_.chance(0.5) ? sum : net_.add(ir::Concat{1}, {sum, net_.add(ir::Relu{}, {b})});
  }
  /// A module that is called twice.
  Value repeated(Value x) {
    const int64_t count = net_.channels(x);
    return net_.layer(net_.again(net_.conv(x, count, {})), net_.width(), {1, 1, 1});
  }
  /// As in ConvNeXt.
  Value channels_last(Value x) {
    Value y = net_.conv(x, net_.channels(x), {3, 1, net_.channels(x)});
    y = net_.layer_norm(net_.add(ir::Permute{{0, 2, 3, 1}}, {y}));
    const Value wide = net_.activation(net_.linear(y, 8));
    y = net_.add(ir::Permute{{0, 3, 1, 2}}, {net_.linear(wide, net_.channels(x))});
    return net_.add(ir::Add{}, {x, y});
  }

  RandomLayers& net_;
};

/// Heads from [N, C, H, W] to [N, 5].
class Heads {
 public:
  explicit Heads(RandomLayers& layers) : net_(layers) {}

  Value any(Value x) {
    switch (net_.pick(0, 5)) {
      case 0:
        return net_.linear(net_.builder().flatten(x), 5);
      case 1:
        return net_.linear(net_.add(ir::Mean{{2, 3}, false}, {x}), 5);
      case 2:
        return net_.linear(pooled(x), 5);
      case 3:
        return perceptron(pooled(x));
      default:
        return tokens(x);
    }
  }

 private:
  Value pooled(Value x) {
    return net_.builder().flatten(net_.add(ir::AdaptiveAvgPool{{1, 1}}, {x}));
  }
  Value perceptron(Value x) {
    x = net_.linear(x, 12);
    if (net_.chance(0.5)) x = net_.batch_norm(x);
    return net_.linear(net_.activation(x), 5);
  }
  Value tokens(Value x) {
    const int64_t size = net_.height(x), width = 8;
    x = net_.conv(x, width, {1, 1, 1});
    x = net_.add(reshape({times_batch(1), extent(width), extent(size * size)}), {x});
    x = net_.add(ir::Permute{{0, 2, 1}}, {x});
    if (net_.chance(0.5)) {
      const ir::Expand expand{{times_batch(1), extent(1), extent(width)}};
      x = net_.add(ir::Concat{1}, {net_.add(expand, {net_.constant({1, 1, width})}), x});
    }
    x = net_.add(ir::Add{}, {x, net_.constant({1, net_.channels(x), width})});
    for (int64_t i = net_.pick(1, 2); i > 0; --i) x = encoder(x);
    x = net_.layer_norm(x);
    x = net_.chance(0.5) ? net_.add(ir::Select{1, extent(0)}, {x})
                         : net_.add(ir::Mean{{1}, false}, {x});
    return net_.linear(x, 5);
  }
  Value encoder(Value x) {
    const Value y = net_.layer_norm(x);
    x = net_.add(ir::Add{}, {x, net_.chance(0.5) ? packed_attention(y) : attention(y)});
    const Value wide = net_.activation(net_.linear(net_.layer_norm(x), 12));
    return net_.add(ir::Add{}, {x, net_.linear(wide, 8)});
  }
  /// softmax(q k^T) v of one head a row.
  Value attend(Value q, Value k, Value v) {
    const double factor = 0.35;
    const Value turned = net_.add(ir::Permute{{0, 2, 1}}, {k});
    const Value scores = net_.add(ir::MatMul{}, {net_.add(ir::MulScalar{factor}, {q}), turned});
    return net_.add(ir::MatMul{}, {net_.add(ir::Softmax{2}, {scores}), v});
  }
  Value attention(Value x) {
    const Value q = net_.linear(x, 8), k = net_.linear(x, 8), v = net_.linear(x, 8);
    return net_.linear(attend(q, k, v), 8);
  }
  /// The nodes of nn.MultiheadAttention, sequence first, with two heads.
  Value packed_attention(Value x) {
    const auto before = net_.builder().graph.nodes.size();
    const int64_t length = net_.channels(x), width = 8, heads = 2;
    x = net_.add(ir::Permute{{1, 0, 2}}, {x});
    const Value packed = net_.linear(x, 3 * width, "in_proj_weight");
    std::array<Value, 3> parts{};
    for (int64_t i = 0; i < 3; ++i) {
      const ir::Slice slice{2, extent(i * width), extent((i + 1) * width), 1};
      const ir::Reshape apart =
          reshape({extent(length), times_batch(heads), extent(width / heads)});
      const Value part = net_.add(apart, {net_.add(slice, {packed})});
      parts[static_cast<size_t>(i)] = net_.add(ir::Permute{{1, 0, 2}}, {part});
    }
    x = net_.add(ir::Permute{{1, 0, 2}}, {attend(parts[0], parts[1], parts[2])});
    x = net_.linear(net_.add(reshape({times_batch(length), extent(width)}), {x}), width);
    x = net_.add(reshape({extent(length), times_batch(1), extent(width)}), {x});
    x = net_.add(ir::Permute{{1, 0, 2}}, {x});
    auto node = std::next(net_.builder().graph.nodes.begin(), static_cast<int64_t>(before));
    const std::string module = "attention" + std::to_string(before);
    for (; node != net_.builder().graph.nodes.end(); ++node) node->module = module;
    return x;
  }

  RandomLayers& net_;
};

}  // namespace

ir::Graph random_network(unsigned seed) {
  RandomLayers layers(seed);
  Blocks blocks(layers);
  Value x = layers.layer(layers.builder().input(), layers.width(), {});
  for (int64_t i = layers.pick(1, 5); i > 0; --i) x = blocks.any(x);
  return layers.builder().finish(Heads(layers).any(x));
}

}  // namespace ptq::testing
