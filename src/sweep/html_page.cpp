#include <algorithm>
#include <nlohmann/json.hpp>

#include "options/settings.h"
#include "report/html_template.h"
#include "sweep/best_configs.h"
#include "sweep/results.h"
#include "sweep/tables.h"

namespace ptq::sweep {
namespace {

using nlohmann::json;

std::vector<size_t> best_rows(const TextTable& results, const TextTable& best) {
  std::vector<size_t> numbers;
  for (size_t i = 0; i < results.rows.size(); ++i) {
    const bool is_best =
        std::find(best.rows.begin(), best.rows.end(), results.rows[i]) != best.rows.end();
    if (is_best) numbers.push_back(i);
  }
  return numbers;
}

/// What describes a configuration: the columns of options.
std::vector<std::string> option_columns(const TextTable& results) {
  const auto end = std::find(results.columns.begin(), results.columns.end(), "float_top1");
  std::vector<std::string> columns;
  for (auto column = results.columns.begin(); column != end; ++column) {
    if (*column != "configuration" && *column != "status" && *column != "model") {
      columns.push_back(*column);
    }
  }
  return columns;
}

json page_data(const TextTable& results, const TextTable& best,
               const std::vector<Skipped>& skipped) {
  return {{"columns", results.columns},           {"rows", results.rows},
          {"options", option_columns(results)},   {"telling", telling_columns(results)},
          {"best", best_rows(results, best)},     {"skipped", skip_reasons(skipped).rows},
          {"version", options::program_version()}};
}

}  // namespace

extern const report::PageTemplate kPageTemplate;

std::string html_page(const TextTable& results, const TextTable& best,
                      const std::vector<Skipped>& skipped) {
  return report::page(kPageTemplate, "Quantization benchmark", page_data(results, best, skipped));
}

}  // namespace ptq::sweep
