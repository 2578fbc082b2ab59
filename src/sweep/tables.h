#pragma once

#include <string>
#include <vector>

#include "sweep/expand.h"
#include "sweep/text_table.h"

namespace ptq::sweep {

/// results.csv, best_configs.csv, skipped.csv, results.md, results.html and best_configs.html in
/// `folder`, each complete or not at all. Throws OutputError naming the file.
void write_tables(const std::string& folder, const TextTable& results,
                  const std::vector<Skipped>& skipped);

/// Columns worth reading: number, model, options whose values differ between rows, accuracy.
std::vector<std::string> telling_columns(const TextTable& results);

/// Why combinations were skipped: a reason a row, with their number and the first of them.
TextTable skip_reasons(const std::vector<Skipped>& skipped);

/// The telling columns of both tables, and why combinations were skipped.
std::string markdown_page(const TextTable& results, const TextTable& best,
                          const std::vector<Skipped>& skipped);

/// A page that needs nothing but itself: accuracy plots, a table that sorts and filters.
std::string html_page(const TextTable& results, const TextTable& best,
                      const std::vector<Skipped>& skipped);

}  // namespace ptq::sweep
