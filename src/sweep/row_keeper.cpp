#include "sweep/row_keeper.h"

#include <filesystem>
#include <new>

#include "base/first_sentence.h"
#include "ptq/base/error.h"

namespace ptq::sweep {
namespace {

namespace fs = std::filesystem;

void set(options::Settings& settings, const char* option, const std::string& value) {
  settings.set(*options::find_option(option), value, options::Source::kCommandLine);
}

}  // namespace

RowKeeper::RowKeeper(const Expansion& expansion, const SweepOptions& options,
                     const SweepWorld& world, Log& log)
    : options_(options),
      world_(world),
      log_(log),
      journal_((fs::path(options.output) / journal_name(options.shard)).string(),
               result_columns(expansion.swept)),
      start_(world.clock()) {
  const TextTable& table = journal_.table();
  for (const Row& row : table.rows) {
    if (is_failed(table, row) && options.retry_failed) continue;
    rows_[identity_key(table, row)] = row;
  }
}

std::optional<double> RowKeeper::seconds_left() const {
  if (!options_.time_budget) return std::nullopt;
  return *options_.time_budget - (world_.clock() - start_);
}

Configuration RowKeeper::on_images(const Configuration& configuration,
                                   std::optional<int64_t> samples) {
  Configuration asked = configuration;
  if (samples) {
    asked.settings.set(*options::find_option("validation-samples"), *samples,
                       options::Source::kCommandLine);
    asked.is_on_subset = true;
  }
  return asked;
}

bool RowKeeper::has_row_of(const Configuration& configuration,
                           std::optional<int64_t> samples) const {
  const Configuration asked = on_images(configuration, samples);
  return rows_.count(identity_key(world_.identity(asked.settings))) != 0;
}

const RowKeeper::Row* RowKeeper::row_of(const Configuration& configuration,
                                        std::optional<int64_t> samples) {
  const Configuration asked = on_images(configuration, samples);
  const Identity identity = world_.identity(asked.settings);
  const std::string key = identity_key(identity);
  ++done_;
  const auto known = rows_.find(key);
  if (known != rows_.end()) {
    if (bring_up_to_date(journal_.table(), known->second, asked)) journal_.append(known->second);
    return &known->second;
  }
  if (const auto left = seconds_left(); left && *left <= 0) return nullptr;
  Row row = run(asked, identity);
  journal_.append(row);
  announce(row);
  return &rows_.insert_or_assign(key, std::move(row)).first->second;
}

// Everything but what is wrong with the journal is a row: a sweep of a night does not end at two.
RowKeeper::Row RowKeeper::run(const Configuration& configuration, const Identity& identity) {
  Outcome outcome;
  Configuration copy = configuration;
  const double start = world_.clock();
  try {
    keep_files(copy.settings, identity, outcome);
    outcome.result = world_.run(copy.settings);
  } catch (const Error& error) {
    outcome.error = error.what();
  } catch (const std::bad_alloc&) {
    outcome.error = "out of memory";
  } catch (const std::exception& error) {
    outcome.error = "internal error, please report it: " + first_sentence(error);
  }
  outcome.seconds = world_.clock() - start;
  if (!outcome.result) outcome.predictions = outcome.quantizers = "";
  return result_row(journal_.table().columns, configuration, identity, outcome);
}

/// Names that no two configurations share, and that say nothing else: the table says the rest.
void RowKeeper::keep_files(options::Settings& settings, const Identity& identity,
                           Outcome& outcome) const {
  const std::string stem = identity.model + "-" + identity.configuration;
  if (options_.save_quantizers) {
    fs::create_directories(fs::path(options_.output) / "quantizers");
    outcome.quantizers = "quantizers/" + stem + ".json";
    set(settings, "dump-quantizers", (fs::path(options_.output) / outcome.quantizers).string());
  }
  if (options_.save_predictions) {
    fs::create_directories(fs::path(options_.output) / "predictions");
    outcome.predictions = "predictions/" + stem + ".csv";
    set(settings, "save-predictions", (fs::path(options_.output) / outcome.predictions).string());
  }
}

void RowKeeper::announce(const Row& row) {
  const TextTable& table = journal_.table();
  const auto cell = [&](const char* column) { return table.cell(row, column); };
  std::string line = "[" + std::to_string(done_) + "/" + std::to_string(expected_) + "] " +
                     cell("model") + " number " + cell("configuration") + ": ";
  line += is_failed(table, row)
              ? "failed: " + cell("error")
              : "top-1 " + cell("quant_top1") + " % of " + cell("count") + ", float " +
                    cell("float_top1") + " %, " + cell("seconds") + " s";
  log_.line(line);
}

}  // namespace ptq::sweep
