#include "golden/comparison.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

namespace ptq::golden {
namespace {

using nlohmann::json;

constexpr double kInfinite = std::numeric_limits<double>::infinity();

/// Numbers of a scalar or of lists in lists.
void flatten(const json& value, std::vector<double>& into) {
  if (value.is_array()) {
    for (const json& element : value) flatten(element, into);
  } else {
    into.push_back(value.get<double>());
  }
}

std::vector<double> flat(const json& value) {
  std::vector<double> numbers;
  flatten(value, numbers);
  return numbers;
}

bool near(double a, double b, double tolerance) {
  return std::abs(a - b) <= tolerance * std::abs(b);
}

bool near(const std::vector<double>& a, const std::vector<double>& b, double tolerance) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [&](double x, double y) {
           return near(x, y, tolerance);
         });
}

/// One quantizer, from either side. `kind` in the dump's words.
struct QuantizerEntry {
  std::string kind;
  std::string name;
  std::vector<double> scale;
  std::vector<double> zero_point;
  bool is_signed = false;
  bool narrow_range = false;
  int bit_width = 0;
};

QuantizerEntry entry_of(const json& quantizer) {
  QuantizerEntry entry;
  entry.kind = quantizer.at("kind");
  entry.name = quantizer.at("name");
  entry.scale = flat(quantizer.at("scale"));
  if (quantizer.contains("zero_point") && !quantizer.at("zero_point").is_null()) {
    entry.zero_point = flat(quantizer.at("zero_point"));
  }
  if (entry.zero_point.size() != entry.scale.size()) entry.zero_point.assign(entry.scale.size(), 0);
  entry.is_signed = quantizer.at("signed") == true;
  entry.narrow_range = quantizer.at("narrow_range") == true;
  entry.bit_width = static_cast<int>(quantizer.at("bit_width").get<double>());
  return entry;
}

/// The reference says `features.0.weight_quant`; quantizers that never ran, and dynamic ones, have
/// no scale. A quantizer at a layer's input is not named by what produces its value.
std::optional<QuantizerEntry> reference_entry_of(const json& quantizer) {
  if (!quantizer.contains("scale") || quantizer.at("scale").is_null()) return std::nullopt;
  QuantizerEntry entry = entry_of(quantizer);
  if (entry.kind == "act") entry.kind = "activation";
  const size_t dot = entry.name.rfind('.');
  const bool at_input = entry.name.substr(dot + 1) == "input_quant";
  entry.name = at_input ? "" : entry.name.substr(0, dot);
  // Layers behind a multiplication of equalization lie in a wrapper of that name.
  const size_t wrapper = entry.name.find(".layer.");
  if (wrapper != std::string::npos) entry.name.erase(wrapper, std::string(".layer").size());
  if (entry.name.size() > 6 && entry.name.substr(entry.name.size() - 6) == ".layer") {
    entry.name.erase(entry.name.size() - 6);
  }
  return entry;
}

std::vector<QuantizerEntry> entries_of(const json& dump) {
  std::vector<QuantizerEntry> entries;
  for (const json& quantizer : dump) {
    if (!quantizer.at("scale").is_null()) entries.push_back(entry_of(quantizer));
  }
  return entries;
}

std::vector<QuantizerEntry> reference_entries(const json& reference) {
  std::vector<QuantizerEntry> entries;
  for (const json& quantizer : reference.at("quantizers")) {
    if (const auto entry = reference_entry_of(quantizer)) entries.push_back(*entry);
  }
  return entries;
}

double scale_error(const QuantizerEntry& a, const QuantizerEntry& b) {
  if (a.scale.size() != b.scale.size() || a.is_signed != b.is_signed) return kInfinite;
  double worst = 0;
  for (size_t i = 0; i < a.scale.size(); ++i) {
    worst = std::max(worst, std::abs(a.scale[i] - b.scale[i]) / std::abs(b.scale[i]));
  }
  return worst;
}

std::string words(const QuantizerEntry& entry) {
  std::string line = entry.kind + " " + entry.name + " (";
  for (const double scale : entry.scale) line += std::to_string(scale) + " ";
  return line + (entry.is_signed ? "signed " : "unsigned ") + std::to_string(entry.bit_width) +
         " bits)";
}

bool same(const QuantizerEntry& a, const QuantizerEntry& b, double tolerance) {
  return a.kind == b.kind && a.is_signed == b.is_signed && a.narrow_range == b.narrow_range &&
         a.bit_width == b.bit_width && near(a.scale, b.scale, tolerance) &&
         near(a.zero_point, b.zero_point, tolerance);
}

using ByName = std::map<std::pair<std::string, std::string>, const QuantizerEntry*>;

ByName by_name(const std::vector<QuantizerEntry>& entries) {
  ByName map;
  for (const QuantizerEntry& entry : entries)
    map.emplace(std::pair(entry.kind, entry.name), &entry);
  return map;
}

bool has_value(const std::vector<QuantizerEntry>& entries, const QuantizerEntry& wanted,
               double tolerance) {
  return std::any_of(entries.begin(), entries.end(),
                     [&](const QuantizerEntry& entry) { return same(entry, wanted, tolerance); });
}

/// What `others` lack of `entries`, or have otherwise.
void compare_one_way(const std::vector<QuantizerEntry>& entries,
                     const std::vector<QuantizerEntry>& others, const std::string& side,
                     double tolerance, std::vector<std::string>& found) {
  const ByName named = by_name(others);
  for (const QuantizerEntry& entry : entries) {
    const auto twin = named.find({entry.kind, entry.name});
    if (twin != named.end()) {
      if (!same(entry, *twin->second, tolerance)) {
        found.push_back(side + ": " + words(entry) + " against " + words(*twin->second));
      }
    } else if (entry.kind != "activation" || !has_value(others, entry, tolerance)) {
      found.push_back(side + " only: " + words(entry));
    }
  }
}

}  // namespace

std::vector<std::string> differences(const json& dump, const json& reference, double tolerance) {
  const std::vector<QuantizerEntry> ours = entries_of(dump);
  const std::vector<QuantizerEntry> theirs = reference_entries(reference);
  std::vector<std::string> found;
  compare_one_way(theirs, ours, "reference", tolerance, found);
  compare_one_way(ours, theirs, "dump", tolerance, found);
  return found;
}

double worst_scale_error(const json& dump, const json& reference) {
  const std::vector<QuantizerEntry> ours = entries_of(dump);
  const ByName named = by_name(ours);
  double worst = 0;
  for (const QuantizerEntry& entry : reference_entries(reference)) {
    const auto twin = named.find({entry.kind, entry.name});
    double error = kInfinite;
    if (twin != named.end()) {
      error = scale_error(*twin->second, entry);
    } else {
      for (const QuantizerEntry& own : ours) {
        if (own.kind == entry.kind) error = std::min(error, scale_error(own, entry));
      }
    }
    worst = std::max(worst, error);
  }
  return worst;
}

}  // namespace ptq::golden
