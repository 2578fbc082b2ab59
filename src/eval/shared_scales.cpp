#include "eval/shared_scales.h"

#include <ATen/ops/abs.h>
#include <ATen/ops/full.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <optional>
#include <set>

#include "base/ordered_sum.h"
#include "eval/probed_network.h"
#include "eval/sqnr.h"
#include "ir/facts.h"
#include "ir/padding.h"
#include "quant/fake_quantize.h"

namespace ptq::eval {
namespace {

/// A sum this far above its noise is as good as codes of eight bits make it, or nearly.
constexpr double kGood = 25;
constexpr double kMaterial = 6;
/// What is left of a part of a concat, or of an operand that others than the add read, is hardly
/// there with less.
constexpr double kPoor = 10;
/// Operands nearer to each other lose by a scale that is too small for all.
constexpr double kUneven = 3;

/// Mean squares over all images.
struct Mean {
  double sum = 0, count = 0;
  void add(const at::Tensor& x) {
    sum += ordered_sum(x.square());
    count += static_cast<double>(x.numel());
  }
  double value() const { return count == 0 ? 0 : sum / count; }
};

struct Operand {
  const ir::Node* quantize = nullptr;
  /// What is joined, before it is rounded.
  ir::ValueId value = 0;
  /// What else reads the operand as it is rounded for the join; nullptr for nothing.
  const ir::Node* reader = nullptr;
  bool is_constant = false;
  double largest = 0;
  Mean power;
  std::vector<at::Tensor> images;

  ir::QuantizerId quantizer() const { return quantize->as<ir::FakeQuantize>()->quantizer; }
};

struct JoinSite {
  const ir::Node* join = nullptr;
  std::vector<Operand> operands;
  Mean result;

  bool is_concat() const { return join->is<ir::Concat>(); }
};

/// Rounding before it or after it is the same.
bool moves(const ir::Node& node) {
  return node.is<ir::MaxPool>() || node.is<ir::Reshape>() || node.is<ir::Permute>() ||
         node.is<ir::Slice>() || node.is<ir::Select>() || ir::zero_padding(node.op);
}

const ir::Node* reader_beside(const ir::Index& index, const ir::Node& join, ir::ValueId value) {
  for (const ir::Node* user : index.users(value)) {
    if (user != &join) return user;
  }
  return nullptr;
}

/// An operand that a scale which calibration found rounds.
std::optional<Operand> operand_of(const ir::Index& index, const quant::QuantizerTable& table,
                                  const ir::Node& join, ir::ValueId input) {
  Operand operand;
  operand.value = input;
  const ir::Node* producer = index.producer(input);
  while (producer != nullptr && moves(*producer)) producer = index.producer(producer->inputs[0]);
  if (producer == nullptr || !producer->is<ir::FakeQuantize>()) return std::nullopt;
  operand.quantize = producer;
  operand.is_constant = ir::is_constant(index, producer->inputs[0]);
  if (producer->output() == input) {
    operand.value = producer->inputs[0];
    operand.reader = reader_beside(index, join, input);
  }
  const quant::Quantizer& quantizer = table.at(operand.quantizer());
  const bool plain = quantizer.is_static_per_tensor() && !quantizer.truncation &&
                     quantizer.symmetry == quant::Symmetry::kSymmetric &&
                     table.scale_of(operand.quantizer()).value.defined();
  return plain ? std::optional(operand) : std::nullopt;
}

/// An add or concat of operands that share one scale.
std::optional<JoinSite> site_of(const ir::Index& index, const quant::QuantizerTable& table,
                                const ir::Node& join) {
  JoinSite site;
  site.join = &join;
  std::set<ir::ValueId> values;
  for (const ir::ValueId input : join.inputs) {
    const auto operand = operand_of(index, table, join, input);
    if (!operand) return std::nullopt;
    site.operands.push_back(*operand);
    values.insert(operand->value);
    const bool shares =
        table.at(operand->quantizer()).scale == table.at(site.operands.front().quantizer()).scale;
    if (!shares) return std::nullopt;
  }
  const bool varies = std::any_of(site.operands.begin(), site.operands.end(),
                                  [](const Operand& operand) { return !operand.is_constant; });
  return varies && values.size() > 1 ? std::optional(site) : std::nullopt;
}

std::vector<JoinSite> sites_of(NetworkView network, const ir::Index& index) {
  std::vector<JoinSite> sites;
  for (const ir::Node& node : network.graph.nodes) {
    if (!node.is<ir::Add>() && !node.is<ir::Concat>()) continue;
    if (auto site = site_of(index, network.table, node)) sites.push_back(std::move(*site));
  }
  return sites;
}

void see_join(JoinSite& site, const SeenValues& values) {
  for (Operand& operand : site.operands) {
    const at::Tensor& x = operand.images.emplace_back(values.at(operand.value).contiguous());
    operand.power.add(x);
    operand.largest = std::max(operand.largest, x.abs().max().item<double>());
  }
  site.result.add(values.at(site.join->output()));
}

std::vector<ir::ValueId> seen_by_joins(const std::vector<JoinSite>& sites) {
  std::set<ir::ValueId> seen;
  for (const JoinSite& site : sites) {
    seen.insert(site.join->output());
    for (const Operand& operand : site.operands) seen.insert(operand.value);
  }
  return {seen.begin(), seen.end()};
}

Mean noise(const Operand& operand, const quant::QuantizerTable& table, ir::QuantizerId id) {
  Mean mean;
  for (const at::Tensor& x : operand.images) {
    mean.add(quant::fake_quantize_activation(x, table, id).sub(x));
  }
  return mean;
}

/// What rounds an operand now, and with a scale of its own that just reaches the largest.
struct Noise {
  Mean now, own;
};

Noise noise_of(const Operand& operand, const quant::QuantizerTable& table) {
  quant::QuantizerTable own;
  const ir::QuantizerId id = own.add(table.at(operand.quantizer()));
  quant::Scale& scale = own.scale_of(id);
  scale.value = at::full({}, operand.largest / scale.threshold_divisor, at::kFloat);
  return {noise(operand, table, operand.quantizer()), noise(operand, own, id)};
}

/// dB lost, where less than `enough` are left; 0 where that is not material.
double material_loss(double power, double now, double own, double enough) {
  if (now == 0 || decibels(power, now) >= enough) return 0;
  const double lost = decibels(now, own);
  return lost >= kMaterial ? lost : 0;
}

/// What the sum loses, or the concat as a whole.
double lost_by_result(const JoinSite& site, const std::vector<Noise>& noises) {
  double now = 0, own = 0, count = 0;
  for (const Noise& of_operand : noises) {
    now += site.is_concat() ? of_operand.now.sum : of_operand.now.value();
    own += site.is_concat() ? of_operand.own.sum : of_operand.own.value();
    count += of_operand.now.count;
  }
  if (!site.is_concat()) count = 1;
  return material_loss(site.result.value(), now / count, own / count, kGood);
}

Join kind_of(const JoinSite& site) {
  if (site.is_concat()) return Join::kConcat;
  const bool constant = std::any_of(site.operands.begin(), site.operands.end(),
                                    [](const Operand& operand) { return operand.is_constant; });
  return constant ? Join::kAddedConstant : Join::kResidual;
}

/// What a part of a concat loses, where the whole does not notice, or another reader of the smaller
/// operand of an add.
void judge_parts(const JoinSite& site, const std::vector<Noise>& noises, UnevenJoin& join) {
  if (site.is_concat() && join.lost > 0) return;
  for (size_t i = 0; i < site.operands.size(); ++i) {
    const Operand& operand = site.operands[i];
    const bool read = operand.reader != nullptr && operand.largest == join.narrow;
    if (!site.is_concat() && !read) continue;
    const double lost =
        material_loss(operand.power.value(), noises[i].now.value(), noises[i].own.value(), kPoor);
    if (lost <= join.lost) continue;
    join.lost = lost;
    join.loser = site.is_concat() ? operand.quantize->name : operand.reader->name;
  }
}

UnevenJoin judged(const JoinSite& site, const quant::QuantizerTable& table) {
  const auto [narrow, wide] =
      std::minmax_element(site.operands.begin(), site.operands.end(),
                          [](const Operand& a, const Operand& b) { return a.largest < b.largest; });
  const quant::Scale& scale = table.scale_of(wide->quantizer());
  UnevenJoin join{site.join->name,
                  kind_of(site),
                  wide->largest,
                  narrow->largest,
                  scale.value.item<double>() * scale.threshold_divisor,
                  0,
                  ""};
  if (join.narrow == 0 || join.wide < kUneven * join.narrow) return join;
  std::vector<Noise> noises;
  for (const Operand& operand : site.operands) noises.push_back(noise_of(operand, table));
  join.lost = lost_by_result(site, noises);
  judge_parts(site, noises, join);
  return join;
}

}  // namespace

std::vector<UnevenJoin> uneven_joins(const QuantizedNetwork& network, const at::Tensor& images,
                                     const runtime::Execution& execution) {
  const c10::InferenceMode no_gradients;
  ir::Graph copy = network.graph;
  const ir::Index index(copy);
  std::vector<JoinSite> sites = sites_of({copy, network.table}, index);
  std::vector<UnevenJoin> uneven;
  if (sites.empty()) return uneven;
  ProbedNetwork probed(network, seen_by_joins(sites), runtime::Numerics::kFloat, execution);
  for (int64_t i = 0; i < images.size(0); ++i) {
    const SeenValues& values = probed.run(images.narrow(0, i, 1));
    for (JoinSite& site : sites) see_join(site, values);
  }
  for (const JoinSite& site : sites) {
    const UnevenJoin join = judged(site, network.table);
    if (join.lost > 0) uneven.push_back(join);
  }
  std::stable_sort(uneven.begin(), uneven.end(),
                   [](const UnevenJoin& a, const UnevenJoin& b) { return a.lost > b.lost; });
  return uneven;
}

}  // namespace ptq::eval
