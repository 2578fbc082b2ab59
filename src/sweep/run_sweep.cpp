#include "sweep/run_sweep.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>

#include "cli/session.h"
#include "ptq/base/error.h"
#include "ptq/data/image_folder.h"
#include "sweep/halving.h"
#include "sweep/row_keeper.h"

namespace ptq::sweep {
namespace {

class SweepRun {
 public:
  SweepRun(const Expansion& expansion, const SweepOptions& options, const SweepWorld& world,
           Log& log)
      : configurations_(expansion.configurations),
        options_(options),
        world_(world),
        log_(log),
        keeper_(expansion, options, world, log) {}

  SweepReport run() {
    if (options_.halving) {
      halve();
    } else {
      run_all(share_of(options_.shard, tree_order(configurations_)), std::nullopt);
    }
    return report();
  }

 private:
  using Row = RowKeeper::Row;

  /// Those that have a row then.
  std::vector<size_t> run_all(const std::vector<size_t>& order, std::optional<int64_t> samples) {
    keeper_.expect(order.size());
    announce(order, samples);
    std::vector<size_t> done;
    for (const size_t number : order) {
      const Row* row = keeper_.row_of(configurations_[number], samples);
      if (row == nullptr) {
        ++left_;
        continue;
      }
      final_rows_[number] = *row;
      done.push_back(number);
    }
    return done;
  }

  void announce(const std::vector<size_t>& order, std::optional<int64_t> samples) {
    if (!world_.announce) return;
    std::vector<options::Settings> to_come;
    for (const size_t number : order) {
      if (keeper_.has_row_of(configurations_[number], samples)) continue;
      to_come.push_back(configurations_[number].settings);
    }
    world_.announce(std::move(to_come));
  }

  /// Models compete with nobody.
  void halve() {
    std::map<std::string, std::vector<size_t>> by_model;
    for (const size_t number : tree_order(configurations_)) {
      const options::Settings& settings = configurations_[number].settings;
      by_model[model_label(settings) + "\n" + model_path(settings)].push_back(number);
    }
    for (const auto& [model, contenders] : by_model) halve(contenders);
  }

  void halve(std::vector<size_t> contenders) {
    const int64_t images = world_.images(configurations_[contenders.front()].settings);
    const std::vector<int64_t> rungs = rung_sizes(images, contenders.size());
    for (size_t rung = 0; rung < rungs.size() && !contenders.empty(); ++rung) {
      log_.line("halving: " + std::to_string(contenders.size()) + " configurations on " +
                std::to_string(rungs[rung]) + " of " + std::to_string(images) + " images");
      const std::vector<size_t> done = run_all(contenders, rungs[rung]);
      const double growth =
          static_cast<double>(rung + 1 < rungs.size() ? rungs[rung + 1] : images) /
          static_cast<double>(rungs[rung]);
      contenders = next_round(done, growth);
    }
    log_.line("halving: " + std::to_string(contenders.size()) + " configurations on all " +
              std::to_string(images) + " images");
    run_all(contenders, std::nullopt);
  }

  std::vector<size_t> next_round(const std::vector<size_t>& contenders, double growth) {
    std::vector<Standing> standings;
    double seconds = 0;
    for (const size_t number : contenders) {
      const Row& row = final_rows_.at(number);
      if (is_failed(keeper_.journal(), row)) continue;
      const auto cell = [&](const char* name) { return keeper_.journal().cell(row, name); };
      const std::string agreement = cell("agreement");
      standings.push_back(
          {number, std::stoll(cell("correct")), agreement.empty() ? 0 : std::stod(agreement)});
      seconds += std::stod(cell("seconds"));
    }
    std::optional<TimeLeft> time;
    if (const auto left = keeper_.seconds_left(); left && !standings.empty()) {
      time = TimeLeft{*left, growth * seconds / static_cast<double>(standings.size())};
    }
    return best_of(standings, survivors(standings.size(), time));
  }

  SweepReport report() const {
    SweepReport report{{keeper_.journal().columns, {}}, left_};
    for (const auto& [number, row] : final_rows_) report.results.rows.push_back(row);
    return report;
  }

  const std::vector<Configuration>& configurations_;
  const SweepOptions& options_;
  const SweepWorld& world_;
  Log& log_;
  RowKeeper keeper_;
  /// By position, which is the order of the numbers; of halving, the last rung's.
  std::map<size_t, Row> final_rows_;
  size_t left_ = 0;
};

}  // namespace

SweepWorld real_world(Log& log) {
  const auto session = std::make_shared<cli::Session>(cli::Session::Runs::kMany);
  const auto identities = std::make_shared<Identities>();
  return {[session, &log](const options::Settings& settings) {
            ProgressOnly progress(log);
            return cli::run(settings, *session, progress);
          },
          [] {
            const auto now = std::chrono::steady_clock::now().time_since_epoch();
            return std::chrono::duration<double>(now).count();
          },
          [identities](const options::Settings& settings) { return identities->of(settings); },
          [](const options::Settings& settings) {
            if (const auto asked = settings.integer_or_none("validation-samples")) return *asked;
            const auto folder = data::open_image_folder(settings.text("validation-dir"));
            return static_cast<int64_t>(folder.items.size());
          },
          [session](std::vector<options::Settings> settings) {
            session->announce(std::move(settings));
          }};
}

SweepReport run_sweep(const Expansion& expansion, const SweepOptions& options,
                      const SweepWorld& world, Log& log) {
  if (options.halving && !options.shard.is_whole()) {
    throw ConfigError("--halving compares all configurations and cannot be combined with --shard");
  }
  SweepRun sweep(expansion, options, world, log);
  return sweep.run();
}

}  // namespace ptq::sweep
