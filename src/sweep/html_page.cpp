#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/settings.h"
#include "report/html_template.h"
#include "sweep/best_configs.h"
#include "sweep/page_parts.h"
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
  json skips = json::array();
  for (const Skipped& each : skipped) {
    skips.push_back({each.number, each.combination, each.reason});
  }
  return {{"columns", results.columns},         {"rows", results.rows},
          {"options", option_columns(results)}, {"telling", telling_columns(results)},
          {"best", best_rows(results, best)},   {"skipped", skips},
          {"version", cli::program_version()}};
}

}  // namespace

std::string html_page(const TextTable& results, const TextTable& best,
                      const std::vector<Skipped>& skipped) {
  return std::string("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n") +
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n" +
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
         "'unsafe-inline'; script-src 'unsafe-inline'\">\n" +
         "<title>Quantization benchmark</title>\n<style>" + kPageStyle + "</style>\n</head>\n" +
         kPageBody + "<script type=\"application/json\" id=\"data\">" +
         report::script_text(page_data(results, best, skipped)) + "</script>\n<script>" +
         kPageScript + kPlotScript + "</script>\n</body>\n</html>\n";
}

}  // namespace ptq::sweep
