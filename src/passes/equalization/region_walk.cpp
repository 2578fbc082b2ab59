#include "passes/equalization/region_walk.h"

#include <algorithm>

#include "ir/clamp.h"
#include "passes/equalization/channel_axis.h"

namespace ptq::passes {
namespace {

template <class Layer>
bool by_place(const Layer& a, const Layer& b) {
  return a.node->name != b.node->name ? a.node->name < b.node->name : a.offset < b.offset;
}

int64_t uses(const ir::Node& node, ir::ValueId value) {
  return std::count(node.inputs.begin(), node.inputs.end(), value);
}

/// Whether the channels of `part` are among those of `all`, of the same value, with the same
/// factors.
bool holds(const ChannelRange& all, const ChannelRange& part) {
  return all.axis == part.axis && all.begin <= part.begin &&
         part.begin + part.width <= all.begin + all.width &&
         part.offset - part.begin == all.offset - all.begin;
}

bool apart(const ChannelRange& a, const ChannelRange& b) {
  return a.axis == b.axis && (a.begin + a.width <= b.begin || b.begin + b.width <= a.begin);
}

}  // namespace

std::optional<EqualizationRegion> RegionWalk::from(const ir::Node& source) {
  reset();
  const size_t rank = shape_of(source.output()).size();
  const int64_t axis = channel_axis(source.op, rank);
  region_.channels = shape_of(source.output()).at(static_cast<size_t>(axis)).value;
  join(source.output(), {axis, 0, region_.channels, 0}, Direction::kUp);
  walk();
  if (const ir::Node* concat = restart_) {
    reset();
    met_concat_ = true;
    const int64_t dim = concat->as<ir::Concat>()->dim;
    region_.channels = shape_of(concat->output()).at(static_cast<size_t>(dim)).value;
    join(concat->output(), {dim, 0, region_.channels, 0}, Direction::kUp);
    walk();
  }
  if (why_.empty() && region_.sinks.empty()) reject(source, "no layer reads it");
  if (!why_.empty()) return std::nullopt;
  std::sort(region_.sources.begin(), region_.sources.end(), by_place<EqualizationSource>);
  std::sort(region_.sinks.begin(), region_.sinks.end(), by_place<EqualizationSink>);
  region_.values = values();
  return region_;
}

std::vector<RegionValue> RegionWalk::values() const {
  std::vector<RegionValue> values;
  for (const auto& [value, ranges] : ranges_) values.push_back({value, ranges.front().axis});
  std::sort(values.begin(), values.end(),
            [](const RegionValue& a, const RegionValue& b) { return a.value < b.value; });
  return values;
}

void RegionWalk::reset() {
  region_ = {};
  ranges_.clear(), made_.clear(), down_.clear(), up_.clear(), scaled_operand_.clear();
  met_concat_ = false;
  restart_ = nullptr;
  where_.clear(), why_.clear();
}

/// Users first: a value that is reached from above needs no search for what makes it.
void RegionWalk::walk() {
  while (!stopped() && !(down_.empty() && up_.empty())) {
    std::vector<Place>& next = down_.empty() ? up_ : down_;
    const auto [value, range] = next.back();
    next.pop_back();
    if (&next == &down_) {
      visit_users(value, range);
    } else {
      visit_producer(value, range);
    }
  }
}

void RegionWalk::reject(const ir::Node& node, const std::string& reason) {
  where_ = node.name;
  why_ = reason;
}

const ir::Dims& RegionWalk::shape_of(ir::ValueId value) const {
  return graph_.values[static_cast<size_t>(value)].shape;
}

void RegionWalk::join(ir::ValueId value, const ChannelRange& range, Direction direction) {
  std::vector<ChannelRange>& known = ranges_[value];
  const auto holds_it = [&](const ChannelRange& other) { return holds(other, range); };
  if (std::none_of(known.begin(), known.end(), holds_it)) {
    const auto disputes = [&](const ChannelRange& other) { return !apart(other, range); };
    if (std::any_of(known.begin(), known.end(), disputes)) {
      where_ = graph_.values[static_cast<size_t>(value)].name;
      why_ = "its channels would be scaled in two ways";
      return;
    }
    known.push_back(range);
    down_.emplace_back(value, range);
  }
  if (direction == Direction::kDown) {
    made_.insert(value);
  } else {
    up_.emplace_back(value, range);
  }
}

void RegionWalk::visit_users(ir::ValueId value, const ChannelRange& range) {
  if (index_.is_graph_output(value)) {
    reject(*index_.producer(value), "its output leaves the network");
    return;
  }
  const ir::Node* previous = nullptr;
  for (ir::Node* user : index_.users(value)) {
    if (stopped()) return;
    if (user != previous) visit_user(*user, value, range);
    previous = user;
  }
}

void RegionWalk::visit_user(ir::Node& user, ir::ValueId value, const ChannelRange& range) {
  if (ir::weighted(user.op) != nullptr) return read_by_layer(user, value, range);
  if (user.is<ir::Concat>()) return read_by_concat(user, value, range);
  if (user.is<ir::Add>()) return read_by_add(user, value, range);
  if (user.is<ir::Mul>()) return read_by_mul(user, value, range);
  read_by_other(user, range);
}

void RegionWalk::visit_producer(ir::ValueId value, const ChannelRange& range) {
  if (!made_.insert(value).second) return;
  ir::Node* producer = index_.producer(value);
  if (producer == nullptr) {
    where_ = graph_.values[static_cast<size_t>(value)].name;
    why_ = "the images cannot be scaled";
    return;
  }
  if (channel_maker(producer->op)) return made_by_layer(*producer, range);
  if (producer->is<ir::Concat>()) return made_by_concat(*producer, range);
  if (producer->is<ir::Add>()) return made_by_add(*producer, range);
  made_by_other(*producer, range);
}

void RegionWalk::read_by_layer(ir::Node& user, ir::ValueId value, const ChannelRange& range) {
  const std::optional<int64_t> weight_axis = input_channel_axis(user.op);
  if (!weight_axis) return reject(user, "a grouped convolution cannot divide its input channels");
  const ir::Dims& shape = shape_of(value);
  const int64_t extent = shape.at(static_cast<size_t>(range.axis)).value;
  const bool aligned = channel_axis(user.op, shape.size()) == range.axis &&
                       ir::weighted(user.op)->weight.value.size(*weight_axis) == extent;
  if (!aligned) return reject(user, "it reads the channels in another arrangement");
  region_.sinks.push_back({&user, range.begin, range.begin + range.width, range.offset});
}

void RegionWalk::read_by_concat(ir::Node& user, ir::ValueId value, const ChannelRange& range) {
  const int64_t dim = user.as<ir::Concat>()->dim;
  if (dim != range.axis) return reject(user, "it does not join channels");
  if (uses(user, value) > 1) return reject(user, "it repeats channels");
  if (!met_concat_) {
    restart_ = &user;
    return;
  }
  ChannelRange moved = range;
  for (const ir::ValueId part : user.inputs) {
    if (part == value) break;
    moved.begin += shape_of(part).at(static_cast<size_t>(dim)).value;
  }
  join(user.output(), moved, Direction::kDown);
}

void RegionWalk::read_by_add(ir::Node& user, ir::ValueId value, const ChannelRange& range) {
  const auto axis = broadcast_axis(graph_, value, user.output(), range.axis);
  if (!axis) return reject(user, "it repeats a channel");
  ChannelRange sum = range;
  sum.axis = *axis;
  join(user.output(), sum, Direction::kDown);
  if (!stopped()) made_by_add(user, sum);
}

/// A product passes the factors of one operand through; both would square them.
void RegionWalk::read_by_mul(ir::Node& user, ir::ValueId value, const ChannelRange& range) {
  const auto axis = broadcast_axis(graph_, value, user.output(), range.axis);
  if (!axis) return reject(user, "it repeats a channel");
  if (uses(user, value) > 1 || scaled_operand_.emplace(&user, value).first->second != value) {
    return reject(user, "both operands of the product would be scaled");
  }
  ChannelRange product = range;
  product.axis = *axis;
  join(user.output(), product, Direction::kDown);
}

void RegionWalk::made_by_layer(ir::Node& producer, const ChannelRange& range) {
  const ChannelMaker maker = channel_maker(producer.op);
  const size_t rank = shape_of(producer.output()).size();
  const bool all = range.begin == 0 && maker.weight->value.size(maker.weight_axis) == range.width;
  if (!all || channel_axis(producer.op, rank) != range.axis) {
    return reject(producer, "it produces the channels in another arrangement");
  }
  region_.sources.push_back({&producer, range.offset, range.width});
}

void RegionWalk::made_by_concat(ir::Node& producer, const ChannelRange& range) {
  const int64_t dim = producer.as<ir::Concat>()->dim;
  if (dim != range.axis) return reject(producer, "it does not join channels");
  met_concat_ = true;
  ChannelRange part = range;
  for (const ir::ValueId input : producer.inputs) {
    if (stopped()) return;
    part.width = shape_of(input).at(static_cast<size_t>(dim)).value;
    join(input, part, Direction::kUp);
    part.offset += part.width;
  }
}

/// Sources are scaled as a whole, so an operand with some of the region's channels among others
/// could not follow.
void RegionWalk::made_by_add(ir::Node& producer, const ChannelRange& range) {
  const int64_t extent = shape_of(producer.output()).at(static_cast<size_t>(range.axis)).value;
  if (extent != range.width) return reject(producer, "it adds to only a part of the channels");
  for (const ir::ValueId operand : producer.inputs) {
    if (stopped()) return;
    const auto rank = static_cast<int64_t>(shape_of(operand).size());
    ChannelRange own = range;
    own.axis += rank - static_cast<int64_t>(shape_of(producer.output()).size());
    if (own.axis < 0 || !broadcast_axis(graph_, operand, producer.output(), own.axis)) {
      return reject(producer, "it adds one number to several channels");
    }
    join(operand, own, Direction::kUp);
  }
}

/// Only those permutations that belong to an attention are looked through.
bool RegionWalk::passes_factors(const ir::Node& node) const {
  return !node.is<ir::Permute>() || permutations_.count(&node) != 0;
}

/// It is met on the way down, on the way up, or both.
void RegionWalk::note_clamp(ir::Node& node, const ChannelRange& range) {
  if (!ir::clamp_bounds(node.op)) return;
  if (clamps_ == Clamps::kEnd) {
    return reject(node,
                  "a clamp makes its channels equal already, and the weights do not share a scale");
  }
  const ir::Dims& shape = shape_of(node.output());
  const auto rank = static_cast<int64_t>(shape.size());
  const RegionClamp clamp{
      &node,       rank - 1 - range.axis,     shape.at(static_cast<size_t>(range.axis)).value,
      range.begin, range.begin + range.width, range.offset};
  const bool is_known =
      std::any_of(region_.clamps.begin(), region_.clamps.end(), [&](const RegionClamp& other) {
        return other.node == clamp.node && other.begin == clamp.begin;
      });
  if (!is_known) region_.clamps.push_back(clamp);
}

void RegionWalk::read_by_other(ir::Node& user, const ChannelRange& range) {
  const auto axis = passes_factors(user) ? axis_after(graph_, user, range.axis) : std::nullopt;
  if (!axis) return reject(user, "it does not pass factors of channels through");
  note_clamp(user, range);
  ChannelRange moved = range;
  moved.axis = *axis;
  join(user.output(), moved, Direction::kDown);
}

void RegionWalk::made_by_other(ir::Node& producer, const ChannelRange& range) {
  const auto axis =
      passes_factors(producer) ? axis_before(graph_, producer, range.axis) : std::nullopt;
  if (!axis) return reject(producer, "it does not pass factors of channels through");
  note_clamp(producer, range);
  ChannelRange moved = range;
  moved.axis = *axis;
  join(producer.inputs[0], moved, Direction::kUp);
}

}  // namespace ptq::passes
