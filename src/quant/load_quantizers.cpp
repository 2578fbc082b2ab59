#include "quant/load_quantizers.h"

#include <ATen/ops/empty.h>

#include <cmath>
#include <cstddef>
#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/input_file.h"
#include "ptq/base/error.h"
#include "quant/quantizer_dump.h"
#include "quant/quantizer_sites.h"

namespace ptq::quant {
namespace {

using nlohmann::json;

/// "the weight quantizer of conv1".
std::string words_for(const std::string& kind, const std::string& name) {
  return "the " + kind + " quantizer of " + name;
}

/// A number in it takes two bytes at least, and sixteen in memory.
constexpr uint64_t kMostBytes = uint64_t{128} << 20;

bool has_text(const json& entry, const char* key) {
  return entry.is_object() && entry.contains(key) && entry[key].is_string();
}

/// One entry of a dump beside the quantizer it is for.
class Loaded {
 public:
  Loaded(std::string where, const json& entry) : where_(std::move(where)), entry_(entry) {}

  [[noreturn]] void refuse(const std::string& why) const {
    throw QuantizationError(where_ + " " + why);
  }

  void check_description(const json& wanted) const {
    for (const auto& [key, value] : wanted.items()) {
      const json& held = field(key);
      if (held != value) {
        refuse("has the " + key + " " + held.dump() + ", and the network's has " + value.dump());
      }
    }
  }

  at::Tensor scale(const std::vector<int64_t>& sizes) const {
    return numbers(
        "scale", sizes, [](float x) { return x > 0; }, "above 0");
  }

  /// Undefined for a symmetric quantizer.
  at::Tensor zero_point(const std::vector<int64_t>& sizes, const Quantizer& quantizer) const {
    if (quantizer.symmetry == Symmetry::kSymmetric) {
      numbers(
          "zero_point", sizes, [](float x) { return x == 0; }, "0, as the network's is symmetric");
      return {};
    }
    if (quantizer.calibration == Calibration::kHqo) {
      return numbers(
          "zero_point", sizes, [](float /*x*/) { return true; }, "");
    }
    const at::Tensor whole = numbers(
        "zero_point", sizes, [](float x) { return x == std::nearbyint(x); }, "a whole number");
    const IntegerFormat* codes = quantizer.integer();
    if (quantizer.kind != QuantizerKind::kActivation || codes == nullptr) return whole;
    // Calibration keeps those of activations among the codes (reference-contract 3.5).
    return numbers(
        "zero_point", sizes,
        [codes](float x) { return x >= codes->quant_min() && x <= codes->quant_max(); },
        "one of its codes");
  }

 private:
  const json& field(const std::string& key) const {
    if (!entry_.contains(key)) refuse("has no " + key);
    return entry_.at(key);
  }

  template <class IsGood>
  at::Tensor numbers(const std::string& key, const std::vector<int64_t>& sizes,
                     const IsGood& is_good, const std::string& what) const {
    const json& held = field(key);
    const json list = held.is_array() ? held : json::array({held});
    at::Tensor result = at::empty(sizes, at::kFloat);
    if (held.is_array() == sizes.empty() || static_cast<int64_t>(list.size()) != result.numel()) {
      refuse("has another number of values in " + key + " than the network's, " +
             std::to_string(list.size()) + " and " + std::to_string(result.numel()));
    }
    for (size_t i = 0; i < list.size(); ++i) {
      const float value = list[i].is_number() ? list[i].get<float>() : std::nanf("");
      if (!std::isfinite(value)) refuse("has a " + key + " that is no number");
      if (!is_good(value)) {
        refuse("has the " + key + " " + list[i].dump() + ", which is not " + what);
      }
      result.data_ptr<float>()[i] = value;
    }
    return result;
  }

  std::string where_;
  const json& entry_;
};

/// The entries of a dump by what they are for, in their order.
class Entries {
 public:
  Entries(const json& dump, std::string file) : file_(std::move(file)) {
    for (const json& entry : dump) {
      const std::string who =
          words_for(entry["kind"].get<std::string>(), entry["name"].get<std::string>());
      entries_[who].push_back(&entry);
    }
  }

  /// None where there is no such entry left.
  const json* take(const std::string& who) {
    const auto found = entries_.find(who);
    if (found == entries_.end() || found->second.empty()) return nullptr;
    const json* entry = found->second.front();
    found->second.pop_front();
    return entry;
  }

  void require_empty() const {
    for (const auto& [who, left] : entries_) {
      if (!left.empty()) {
        throw QuantizationError(file_ + " does not fit the network, which lacks " + who);
      }
    }
  }

 private:
  std::string file_;
  std::map<std::string, std::deque<const json*>> entries_;
};

/// Whether the scale is found by calibration, and does not follow from others or from the values.
bool has_own_scale(const Quantizer& quantizer) {
  return quantizer.kind == QuantizerKind::kWeight || needs_calibration(quantizer);
}

/// Quantizers that share a scale have it from the first one.
void set_scale(QuantizerTable& table, const QuantizerSite& site, const Loaded& loaded,
               const at::Tensor& scale) {
  at::Tensor& shared = table.scale_of(site.id).value;
  if (shared.defined() && !shared.equal(scale)) {
    loaded.refuse("has another scale than a quantizer that shares it");
  }
  shared = scale;
}

void load_site(QuantizedNetwork& network, const QuantizerSite& site, const Loaded& loaded) {
  Quantizer& quantizer = network.table.at(site.id);
  loaded.check_description(describe_quantizer(site.name, quantizer));
  if (!has_own_scale(quantizer)) return;
  const std::vector<int64_t> sizes = scale_sizes(network, site);
  set_scale(network.table, site, loaded, loaded.scale(sizes));
  quantizer.zero_point = loaded.zero_point(sizes, quantizer);
}

/// Ends the reading of a text that is no list of quantizers.
struct NoList {};

/// A list of entries, whose fields are words, numbers and lists of numbers. Reading ends at what is
/// nothing of the kind, as it might not fit into the memory, or be nested as deep as the file is
/// long.
json parse_entries(const std::string& text) {
  constexpr int kEntry = 1, kList = 2;
  constexpr int kMostEntries = 20'000;  // the parser looks through those before at each one's end
  using Event = json::parse_event_t;
  int entries = 0;
  const auto look = [&entries](int depth, Event event, json& parsed) {
    const bool begins = event == Event::object_start || event == Event::array_start;
    if (begins && depth > kList) throw NoList();
    if (depth != kEntry || begins || event == Event::key) return true;
    if (++entries > kMostEntries || !has_text(parsed, "kind") || !has_text(parsed, "name")) {
      throw NoList();
    }
    return true;
  };
  try {
    return json::parse(text, look, false);
  } catch (const NoList&) {
    return json::object();
  }
}

json read(const std::string& path) {
  const InputText text = read_input(path, kMostBytes);
  if (!text.obstacle.empty()) throw DataError(path + " " + text.obstacle);
  json dump = parse_entries(text.bytes);
  if (dump.is_discarded()) throw DataError(path + " is no JSON");
  if (!dump.is_array() || dump.empty()) throw DataError(path + " is no list of quantizers");
  return dump;
}

}  // namespace

void check_quantizer_dump(const std::string& path) { read(path); }

int64_t load_quantizers(const std::string& path, QuantizedNetwork& network) {
  const json dump = read(path);
  ir::Graph copy = network.graph;
  Entries entries(dump, path);
  for (Scale& scale : network.table.scales) scale.value.reset();
  for (const QuantizerSite& site : quantizer_sites(copy)) {
    const std::string who = words_for(kind_word(network.table.at(site.id).kind), site.name);
    if (const json* entry = entries.take(who)) {
      load_site(network, site, Loaded(path + " does not fit the network: " + who, *entry));
    } else if (!is_without_bias(site, network.table)) {
      throw QuantizationError(path + " does not fit the network: it lacks " + who);
    }
  }
  entries.require_empty();
  network.table.derive_scales();
  return static_cast<int64_t>(dump.size());
}

}  // namespace ptq::quant
