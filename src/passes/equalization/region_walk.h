#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "passes/equalization/equalization_regions.h"

namespace ptq::passes {

/// Where a region's channels lie in a value: [begin, begin + width) along `axis` are the region's
/// [offset, offset + width).
struct ChannelRange {
  int64_t axis = 1;
  int64_t begin = 0;
  int64_t width = 0;
  int64_t offset = 0;
};

/// Follows the values that are scaled together with the output of one source, down to the layers
/// that read them and, at adds and concats, up to the layers that make the other operands.
///
/// The first concat on the way down widens the region to all of its channels: the walk starts anew
/// from there. A later one does not: what reads it has the region's channels among others.
class RegionWalk {
 public:
  RegionWalk(const ir::Graph& graph, const ir::Index& index,
             const std::unordered_set<const ir::Node*>& permutations, Clamps clamps)
      : graph_(graph), index_(index), permutations_(permutations), clamps_(clamps) {}

  /// The region, or nothing: then `where` and `why` say what stands in the way.
  std::optional<EqualizationRegion> from(const ir::Node& source);
  const std::string& where() const { return where_; }
  const std::string& why() const { return why_; }

 private:
  /// kUp: what makes the value has to be found. kDown: it has been.
  enum class Direction { kDown, kUp };
  using Place = std::pair<ir::ValueId, ChannelRange>;

  void walk();
  void reset();
  bool stopped() const { return !why_.empty() || restart_ != nullptr; }
  void reject(const ir::Node& node, const std::string& reason);

  void join(ir::ValueId value, const ChannelRange& range, Direction direction);
  void visit_users(ir::ValueId value, const ChannelRange& range);
  void visit_user(ir::Node& user, ir::ValueId value, const ChannelRange& range);
  void visit_producer(ir::ValueId value, const ChannelRange& range);

  void read_by_layer(ir::Node& user, ir::ValueId value, const ChannelRange& range);
  void read_by_concat(ir::Node& user, ir::ValueId value, const ChannelRange& range);
  void read_by_add(ir::Node& user, ir::ValueId value, const ChannelRange& range);
  void read_by_mul(ir::Node& user, ir::ValueId value, const ChannelRange& range);
  void made_by_layer(ir::Node& producer, const ChannelRange& range);
  void made_by_concat(ir::Node& producer, const ChannelRange& range);
  void made_by_add(ir::Node& producer, const ChannelRange& range);
  bool passes_factors(const ir::Node& node) const;
  void note_clamp(ir::Node& node, const ChannelRange& range);
  void read_by_other(ir::Node& user, const ChannelRange& range);
  void made_by_other(ir::Node& producer, const ChannelRange& range);
  const ir::Dims& shape_of(ir::ValueId value) const;
  std::vector<RegionValue> values() const;

  const ir::Graph& graph_;
  const ir::Index& index_;
  const std::unordered_set<const ir::Node*>& permutations_;
  const Clamps clamps_;

  EqualizationRegion region_;
  /// More than one behind a second concat that two parts of the region reach.
  std::unordered_map<ir::ValueId, std::vector<ChannelRange>> ranges_;
  /// Values whose producer is accounted for.
  std::unordered_set<ir::ValueId> made_;
  std::vector<Place> down_, up_;
  /// By product, the operand that is scaled.
  std::unordered_map<const ir::Node*, ir::ValueId> scaled_operand_;
  bool met_concat_ = false;
  const ir::Node* restart_ = nullptr;
  std::string where_, why_;
};

}  // namespace ptq::passes
