#include "eval/shared_scales.h"

#include <ATen/ops/abs.h>
#include <ATen/ops/full.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <sstream>

#include "eval/probed_network.h"
#include "eval/sqnr.h"
#include "ir/facts.h"
#include "quant/fake_quantize.h"

namespace ptq::eval {
namespace {

/// A sum this far above its noise is as good as codes of eight bits make it, or nearly.
constexpr double kGood = 25;
constexpr double kMaterial = 6;
/// What is left of an operand of which others than the add read less is hardly there.
constexpr double kPoor = 10;
/// Operands nearer to each other lose by a scale that is too small for both.
constexpr double kUneven = 3;

/// Mean squares over all images.
struct Mean {
  double sum = 0, count = 0;
  void add(const at::Tensor& x) {
    sum += x.square().sum(at::kDouble).item<double>();
    count += static_cast<double>(x.numel());
  }
  double value() const { return count == 0 ? 0 : sum / count; }
};

struct Operand {
  const ir::Node* quantize = nullptr;
  /// What else reads the operand as it is rounded for the add; nullptr for nothing.
  const ir::Node* reader = nullptr;
  double largest = 0;
  std::vector<at::Tensor> images;

  ir::ValueId value() const { return quantize->inputs[0]; }
  ir::QuantizerId quantizer() const { return quantize->as<ir::FakeQuantize>()->quantizer; }
};

struct AddSite {
  const ir::Node* add = nullptr;
  std::array<Operand, 2> operands;
  Mean sum;
};

const ir::Node* reader_beside(const ir::Index& index, const ir::Node& add, ir::ValueId value) {
  for (const ir::Node* user : index.users(value)) {
    if (user != &add) return user;
  }
  return nullptr;
}

/// The quantizers in front of an add that share a scale which calibration found.
std::optional<AddSite> site_of(const ir::Index& index, const quant::QuantizerTable& table,
                               const ir::Node& add) {
  AddSite site;
  site.add = &add;
  for (size_t i = 0; i < 2; ++i) {
    const ir::Node* producer = index.producer(add.inputs.at(i));
    if (producer == nullptr || !producer->is<ir::FakeQuantize>() ||
        ir::is_constant(index, producer->inputs[0])) {
      return std::nullopt;
    }
    site.operands[i].quantize = producer;
    site.operands[i].reader = reader_beside(index, add, producer->output());
    const quant::Quantizer& quantizer = table.at(site.operands[i].quantizer());
    const bool plain = quantizer.is_static_per_tensor() && !quantizer.truncation &&
                       quantizer.symmetry == quant::Symmetry::kSymmetric;
    if (!plain || !table.scale_of(site.operands[i].quantizer()).value.defined()) {
      return std::nullopt;
    }
  }
  const auto& [a, b] = site.operands;
  const bool share = table.at(a.quantizer()).scale == table.at(b.quantizer()).scale;
  return share && a.value() != b.value() ? std::optional(site) : std::nullopt;
}

std::vector<AddSite> sites_of(NetworkView network, const ir::Index& index) {
  std::vector<AddSite> sites;
  for (const ir::Node& node : network.graph.nodes) {
    if (!node.is<ir::Add>()) continue;
    if (auto site = site_of(index, network.table, node)) sites.push_back(std::move(*site));
  }
  return sites;
}

void see(AddSite& site, const SeenValues& values) {
  for (Operand& operand : site.operands) {
    operand.images.push_back(values.at(operand.value()).contiguous());
    operand.largest = std::max(operand.largest, operand.images.back().abs().max().item<double>());
  }
  const auto& [a, b] = site.operands;
  site.sum.add(a.images.back().add(b.images.back()));
}

std::vector<ir::ValueId> seen_values(const std::vector<AddSite>& sites) {
  std::set<ir::ValueId> seen;
  for (const AddSite& site : sites) {
    for (const Operand& operand : site.operands) seen.insert(operand.value());
  }
  return {seen.begin(), seen.end()};
}

double noise(const Operand& operand, const quant::QuantizerTable& table, ir::QuantizerId id) {
  Mean mean;
  for (const at::Tensor& x : operand.images) {
    mean.add(quant::fake_quantize_activation(x, table, id).sub(x));
  }
  return mean.value();
}

/// With a scale of its own, that just reaches the largest.
double own_noise(const Operand& operand, const quant::QuantizerTable& table) {
  quant::QuantizerTable own;
  const ir::QuantizerId id = own.add(table.at(operand.quantizer()));
  quant::Scale& scale = own.scale_of(id);
  scale.value = at::full({}, operand.largest / scale.threshold_divisor, at::kFloat);
  return noise(operand, own, id);
}

/// What the sum loses; 0 where that is not material.
double lost_by_sum(const AddSite& site, const quant::QuantizerTable& table) {
  const auto& [a, b] = site.operands;
  const double now = noise(a, table, a.quantizer()) + noise(b, table, b.quantizer());
  if (now == 0 || decibels(site.sum.value(), now) >= kGood) return 0;
  const double lost = decibels(now, own_noise(a, table) + own_noise(b, table));
  return lost >= kMaterial ? lost : 0;
}

/// What another reader of the operand loses, which the sum need not notice.
double lost_by_reader(const Operand& operand, const quant::QuantizerTable& table) {
  if (operand.reader == nullptr) return 0;
  Mean power;
  for (const at::Tensor& x : operand.images) power.add(x);
  const double now = noise(operand, table, operand.quantizer());
  if (now == 0 || decibels(power.value(), now) >= kPoor) return 0;
  const double lost = decibels(now, own_noise(operand, table));
  return lost >= kMaterial ? lost : 0;
}

UnevenAdd judged(const AddSite& site, const quant::QuantizerTable& table) {
  const auto& [a, b] = site.operands;
  const Operand& narrow = a.largest < b.largest ? a : b;
  const quant::Scale& scale = table.scale_of(a.quantizer());
  UnevenAdd add{site.add->name,
                std::max(a.largest, b.largest),
                narrow.largest,
                scale.value.item<double>() * scale.threshold_divisor,
                0,
                ""};
  if (add.narrow == 0 || add.wide < kUneven * add.narrow) return add;
  add.lost = lost_by_sum(site, table);
  const double beside = lost_by_reader(narrow, table);
  if (beside > add.lost) {
    add.lost = beside;
    add.reader = narrow.reader->name;
  }
  return add;
}

}  // namespace

std::vector<UnevenAdd> uneven_adds(const QuantizedNetwork& network, const at::Tensor& images,
                                   const runtime::Execution& execution) {
  const c10::InferenceMode no_gradients;
  ir::Graph copy = network.graph;
  const ir::Index index(copy);
  std::vector<AddSite> sites = sites_of({copy, network.table}, index);
  std::vector<UnevenAdd> uneven;
  if (sites.empty()) return uneven;
  ProbedNetwork probed(network, seen_values(sites), runtime::Numerics::kFloat, execution);
  for (int64_t i = 0; i < images.size(0); ++i) {
    const SeenValues& values = probed.run(images.narrow(0, i, 1));
    for (AddSite& site : sites) see(site, values);
  }
  for (const AddSite& site : sites) {
    const UnevenAdd add = judged(site, network.table);
    if (add.lost > 0) uneven.push_back(add);
  }
  std::stable_sort(uneven.begin(), uneven.end(),
                   [](const UnevenAdd& a, const UnevenAdd& b) { return a.lost > b.lost; });
  return uneven;
}

std::vector<std::string> words(const std::vector<UnevenAdd>& adds) {
  if (adds.empty()) return {};
  const UnevenAdd& worst = adds.front();
  std::ostringstream text;
  text.precision(3);
  text << worst.name << " adds values that reach " << worst.wide << " and " << worst.narrow << " ("
       << worst.wide / worst.narrow << " to 1) with one scale that reaches " << worst.scale
       << ", which costs " << (worst.reader.empty() ? "the sum" : worst.reader) << " " << worst.lost
       << " dB";
  if (adds.size() > 1) text << " (adds like it: " << adds.size() - 1 << " more)";
  text << "; --residual-adds wide gives operands scales of their own";
  return {text.str()};
}

}  // namespace ptq::eval
