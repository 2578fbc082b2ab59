#include <ATen/ops/zeros.h>

#include "import/lowerings.h"
#include "import/step_writer.h"

/// LSTM, GRU and plain recurrent networks as the matrices that they are made of: one linear layer
/// over all steps for the inputs, one a step for the state before.
namespace ptq::import {
namespace {

using Step = StepWriter::Step;

/// Longer sequences stay one operator, as the graph has every step.
constexpr int64_t kMostSteps = 512;

struct Matrices {
  at::Tensor input, state, input_bias, state_bias;
  /// Of an LSTM with proj_size, [projected, hidden].
  at::Tensor projection;
};

/// What goes from step to step; only an LSTM has a `cell`. A Step of no value stands for zeros,
/// which need no product, and whose range would be no range.
struct State {
  Step hidden, cell;
};

bool is_zero(const Step& x) { return x.value < 0; }

/// What a model begins with, nearly always zeros.
Step first_state(StepWriter& write, const Recorder& recorder, const at::Tensor& state) {
  const bool zeros = !recorder.follows(state) && !state.any().item<bool>();
  return zeros ? Step() : write.start(state);
}

/// One step: what the input layer gave, and the state before.
using Cell = State (*)(StepWriter&, const Matrices&, const Step& x, const State& before);

Step from_state(StepWriter& write, const Matrices& matrices, const State& before) {
  if (!is_zero(before.hidden)) {
    return write.linear(before.hidden, matrices.state, matrices.state_bias);
  }
  const bool biased = matrices.state_bias.defined();
  return write.start(biased ? matrices.state_bias : at::zeros({matrices.state.size(0)}));
}

State lstm_step(StepWriter& write, const Matrices& matrices, const Step& x, const State& before) {
  const Step gates = write.add(x, from_state(write, matrices, before));
  const Step in = write.sigmoid(write.part(gates, 0, 4));
  const Step forget = write.sigmoid(write.part(gates, 1, 4));
  const Step candidate = write.tanh(write.part(gates, 2, 4));
  const Step out = write.sigmoid(write.part(gates, 3, 4));
  Step cell = write.mul(in, candidate);
  if (!is_zero(before.cell)) cell = write.add(write.mul(forget, before.cell), cell);
  const Step hidden = write.mul(out, write.tanh(cell));
  if (!matrices.projection.defined()) return {hidden, cell};
  return {write.linear(hidden, matrices.projection, {}), cell};
}

State gru_step(StepWriter& write, const Matrices& matrices, const Step& x, const State& before) {
  const Step h = from_state(write, matrices, before);
  const Step reset = write.sigmoid(write.add(write.part(x, 0, 3), write.part(h, 0, 3)));
  const Step keep = write.sigmoid(write.add(write.part(x, 1, 3), write.part(h, 1, 3)));
  const Step candidate =
      write.tanh(write.add(write.part(x, 2, 3), write.mul(reset, write.part(h, 2, 3))));
  if (is_zero(before.hidden)) return {write.sub(candidate, write.mul(keep, candidate)), {}};
  const Step change = write.mul(write.sub(before.hidden, candidate), keep);
  return {write.add(change, candidate), {}};
}

State tanh_step(StepWriter& write, const Matrices& matrices, const Step& x, const State& before) {
  return {write.tanh(write.add(x, from_state(write, matrices, before))), {}};
}

State relu_step(StepWriter& write, const Matrices& matrices, const Step& x, const State& before) {
  return {write.relu(write.add(x, from_state(write, matrices, before))), {}};
}

/// The states of a network's layers and directions, [layers, B, H] or empty.
std::vector<at::Tensor> states_of(const c10::IValue& value) {
  std::vector<at::Tensor> states;
  collect_tensors(value, states);
  return states;
}

class Network {
 public:
  Network(const Call& call, Recorder& recorder, Cell cell)
      : call_(call), write_(recorder), cell_(cell) {
    collect_tensors(call.argument("params"), parameters_);
    for (const at::Tensor& state : states_of(call.argument("hx"))) {
      first_.push_back(first_state(write_, recorder, state));
    }
  }

  Lowered run() {
    Step x = write_.start(call_.tensor("input"));
    const bool images_first = call_.flag("batch_first");
    if (images_first) x = write_.permute(x, {1, 0, 2});
    const int64_t layers = call_.integer("num_layers"), directions = directions_of(call_);
    for (int64_t layer = 0; layer < layers; ++layer) {
      std::vector<Step> ways;
      for (int64_t way = 0; way < directions; ++way) {
        ways.push_back(one_way(x, layer * directions + way, way == 1));
      }
      x = write_.concat(ways, 2);
    }
    if (images_first) x = write_.permute(x, {1, 0, 2});
    Lowered values = {x.value, write_.concat(last_hidden_, 0).value};
    if (call_.results.size() == 3) values.push_back(write_.concat(last_cell_, 0).value);
    return values;
  }

  static int64_t directions_of(const Call& call) { return call.flag("bidirectional") ? 2 : 1; }
  static int64_t ways_of(const Call& call) {
    return call.integer("num_layers") * directions_of(call);
  }

 private:
  Matrices matrices(int64_t index) const {
    const size_t count = parameters_.size() / static_cast<size_t>(ways_of(call_));
    const auto first = parameters_.begin() + static_cast<std::ptrdiff_t>(count) * index;
    Matrices own{first[0], first[1], {}, {}, {}};
    if (call_.flag("has_biases")) own.input_bias = first[2], own.state_bias = first[3];
    if (count % 2 == 1) own.projection = first[count - 1];
    return own;
  }

  /// One direction of one layer, [L, B, I] -> [L, B, H].
  Step one_way(const Step& x, int64_t index, bool backwards) {
    const Matrices own = matrices(index);
    const Step all = write_.linear(x, own.input, own.input_bias);
    State state;
    if (!is_zero(first_.at(0))) state.hidden = write_.select(first_[0], 0, index);
    if (first_.size() > 1 && !is_zero(first_[1])) state.cell = write_.select(first_[1], 0, index);
    const int64_t length = x.shape[0];
    std::vector<Step> outputs(static_cast<size_t>(length));
    for (int64_t i = 0; i < length; ++i) {
      const int64_t at = backwards ? length - 1 - i : i;
      state = cell_(write_, own, write_.select(all, 0, at), state);
      outputs[static_cast<size_t>(at)] = alone(state.hidden);
    }
    last_hidden_.push_back(alone(state.hidden));
    if (first_.size() > 1) last_cell_.push_back(alone(state.cell));
    return write_.concat(outputs, 0);
  }

  /// [B, H] -> [1, B, H].
  Step alone(const Step& x) { return write_.reshape(x, {1, x.shape[0], x.shape[1]}); }

  const Call& call_;
  StepWriter write_;
  Cell cell_;
  std::vector<at::Tensor> parameters_;
  std::vector<Step> first_, last_hidden_, last_cell_;
};

bool is_plain_network(const Call& call, const Recorder& recorder) {
  if (call.find("params") == nullptr || call.find("input") == nullptr) return false;
  if (call.tensor("input").dim() != 3 || !recorder.follows(call.tensor("input"))) return false;
  std::vector<at::Tensor> parameters;
  collect_tensors(call.argument("params"), parameters);
  const int64_t ways = Network::ways_of(call), all = static_cast<int64_t>(parameters.size());
  const int64_t matrices = ways * (call.flag("has_biases") ? 4 : 2);
  const bool projects = call.name == "lstm" && all == matrices + ways;
  const int64_t length = call.tensor("input").size(call.flag("batch_first") ? 1 : 0);
  return (all == matrices || projects) && !recorder.follows(parameters) &&
         length * ways <= kMostSteps;
}

template <Cell cell>
Lowered lower_network(const Call& call, Recorder& recorder) {
  if (!is_plain_network(call, recorder)) return {};
  return Network(call, recorder, cell).run();
}

template <Cell cell>
Lowered lower_cell(const Call& call, Recorder& recorder) {
  const at::Tensor input = call.tensor("input");
  const Matrices own{call.tensor("w_ih"),
                     call.tensor("w_hh"),
                     call.optional_tensor("b_ih"),
                     call.optional_tensor("b_hh"),
                     {}};
  if (input.dim() != 2 || recorder.follows({own.input, own.state})) return {};
  StepWriter write(recorder);
  const std::vector<at::Tensor> states = states_of(call.argument("hx"));
  State before{first_state(write, recorder, states.at(0)), {}};
  if (states.size() > 1) before.cell = first_state(write, recorder, states[1]);
  const Step x = write.linear(write.start(input), own.input, own.input_bias);
  const State after = cell(write, own, x, before);
  if (call.results.size() == 1) return {after.hidden.value};
  return {after.hidden.value, after.cell.value};
}

}  // namespace

void add_recurrent_lowerings(LoweringTable& table) {
  table["lstm"] = lower_network<lstm_step>;
  table["gru"] = lower_network<gru_step>;
  table["rnn_tanh"] = lower_network<tanh_step>;
  table["rnn_relu"] = lower_network<relu_step>;
  table["lstm_cell"] = lower_cell<lstm_step>;
  table["gru_cell"] = lower_cell<gru_step>;
  table["rnn_tanh_cell"] = lower_cell<tanh_step>;
  table["rnn_relu_cell"] = lower_cell<relu_step>;
}

}  // namespace ptq::import
