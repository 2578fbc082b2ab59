#include "options/config/bit_settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <utility>

#include "ptq/base/error.h"

namespace ptq::options {
namespace {

[[noreturn]] void refuse_candidates(const std::string& text) {
  throw ConfigError("--candidate-bits '" + text +
                    "' must be a list like W2,W4,A8 with bits between 2 and 16");
}

void add_candidate(const std::string& part, const std::string& text, CandidateBits& candidates) {
  const char kind = part.empty() ? ' ' : part.front();
  if (kind != 'W' && kind != 'A') refuse_candidates(text);
  int bits = 0;
  const char* end = part.data() + part.size();
  const auto read = std::from_chars(part.data() + 1, end, bits);
  if (read.ec != std::errc() || read.ptr != end || bits < 2 || bits > 16) refuse_candidates(text);
  (kind == 'W' ? candidates.weights : candidates.activations).push_back(bits);
}

CandidateBits candidate_bits(const std::string& text) {
  CandidateBits candidates{{}, {}};
  std::string rest = text + ",";
  for (size_t comma = rest.find(','); comma != std::string::npos; comma = rest.find(',')) {
    add_candidate(rest.substr(0, comma), text, candidates);
    rest.erase(0, comma + 1);
  }
  if (candidates.weights.empty()) {
    throw ConfigError("--candidate-bits '" + text + "' names no width of weights");
  }
  return candidates;
}

int64_t bytes(const std::string& text) {
  constexpr std::array<std::pair<const char*, double>, 6> kUnits = {{{"KiB", 1024.0},
                                                                     {"MiB", 1048576.0},
                                                                     {"GiB", 1073741824.0},
                                                                     {"KB", 1e3},
                                                                     {"MB", 1e6},
                                                                     {"GB", 1e9}}};
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string unit(read.ptr, text.data() + text.size());
  const auto known = std::find_if(kUnits.begin(), kUnits.end(),
                                  [&](const auto& each) { return unit == each.first; });
  const double bytes = value * (known == kUnits.end() ? 1 : known->second);
  const bool is_good = read.ec == std::errc() && (unit.empty() || known != kUnits.end()) &&
                       bytes >= 1 && bytes < 1e18;
  if (!is_good) {
    throw ConfigError(
        "--size-budget '" + text +
        "' must be a number of bytes, or of KiB, MiB, GiB, KB, MB or GB, like 2.5MiB");
  }
  return static_cast<int64_t>(std::floor(bytes));
}

[[noreturn]] void refuse_pareto(const std::string& text) {
  throw ConfigError("--pareto '" + text +
                    "' must be a number of budgets from 2 to 50, or budgets of 2 to 16 mean bits "
                    "with commas like 3,4,5 (4, is the one budget 4)");
}

/// A number without a comma counts budgets; `4,` is a list of one.
void set_pareto(const std::string& text, BitsConfig& config) {
  const bool is_list = text.find(',') != std::string::npos;
  std::string rest = text.back() == ',' ? text : text + ",";
  for (size_t comma = rest.find(','); comma != std::string::npos; comma = rest.find(',')) {
    double bits = 0;
    const auto read = std::from_chars(rest.data(), rest.data() + comma, bits);
    const bool is_good =
        read.ec == std::errc() && read.ptr == rest.data() + comma && bits >= 2 && bits <= 50;
    if (!is_good) refuse_pareto(text);
    config.pareto_budgets.push_back(bits);
    rest.erase(0, comma + 1);
  }
  if (is_list) {
    for (const double bits : config.pareto_budgets) {
      if (bits > 16) refuse_pareto(text);
    }
    return;
  }
  const double count = config.pareto_budgets.front();
  if (count != std::floor(count)) refuse_pareto(text);
  config.pareto_points = static_cast<int64_t>(count);
  config.pareto_budgets.clear();
}

std::optional<double> number_or_none(const Settings& settings, std::string_view name) {
  if (settings.is_none(name)) return std::nullopt;
  return settings.number(name);
}

}  // namespace

BitsConfig bits_config(const Settings& settings) {
  BitsConfig config;
  BitSearchOptions& search = config.search;
  search.sensitivity.candidates = candidate_bits(settings.text("candidate-bits"));
  search.sensitivity.images = settings.integer_or_none("sensitivity-images");
  search.budget.mean_weight_bits = number_or_none(settings, "weight-budget");
  if (!settings.is_none("size-budget")) search.budget.bytes = bytes(settings.text("size-budget"));
  search.budget.bit_operations = number_or_none(settings, "bitops-budget");
  config.sensitivity_file = settings.text_or_none("sensitivity");
  config.layer_bits_file = settings.text_or_none("save-layer-bits");
  config.pareto_file = settings.text_or_none("save-pareto");
  if (!settings.is_none("pareto")) set_pareto(settings.text("pareto"), config);
  return config;
}

}  // namespace ptq::options
