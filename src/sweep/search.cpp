#include "sweep/search.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <random>
#include <utility>

#include "base/atomic_file.h"
#include "base/text.h"
#include "eval/paired_interval.h"
#include "ptq/base/error.h"
#include "sweep/halving.h"
#include "sweep/halving_time.h"
#include "sweep/row_keeper.h"

namespace ptq::sweep {
namespace {

/// What a configuration answered.
struct Answered {
  std::vector<int64_t> predictions;
  std::vector<uint8_t> right;
  eval::Answers answers() const { return {predictions, right}; }
};

SweepOptions without_budget(SweepOptions options) {
  options.time_budget.reset();
  return options;
}

class Search {
 public:
  Search(const Expansion& expansion, const SweepOptions& options, double held_out,
         const SweepWorld& world, Log& log)
      : configurations_(expansion.configurations),
        budget_(options.time_budget),
        options_(without_budget(options)),
        world_(remembering(world)),
        log_(log),
        start_(world.clock()),
        keeper_(expansion, options_, world_, log) {
    const options::Settings& settings = configurations_.front().settings;
    random_.seed(static_cast<uint64_t>(settings.integer("seed")));
    const int64_t images = world.images(settings);
    report_.held_out_images = std::llround(held_out * static_cast<double>(images));
    report_.search_images = images - report_.held_out_images;
    if (report_.held_out_images < 1 || report_.search_images < 1) {
      throw ConfigError("--held-out leaves no images to one of search and evaluation");
    }
  }

  SearchReport run() {
    sizes_ = rung_sizes(report_.search_images, configurations_.size());
    sizes_.push_back(report_.search_images);
    sizes_.push_back(report_.held_out_images);
    const std::vector<size_t> lots = drawn();
    const size_t first = budget_ ? first_size_after_trying(lots) : 0;
    std::vector<size_t> contenders;
    for (size_t round = first; round + 1 < sizes_.size(); ++round) {
      contenders = round == first ? first_round(lots, round) : ran(contenders, sizes_[round]);
      log_.line("search: " + std::to_string(contenders.size()) + " configurations on " +
                std::to_string(sizes_[round]) + " images");
      contenders = kept(contenders, round);
    }
    finish(contenders);
    return std::move(report_);
  }

 private:
  using Row = RowKeeper::Row;

  SweepWorld remembering(const SweepWorld& world) {
    SweepWorld other = world;
    other.run = [this, &world](const options::Settings& settings) {
      const double begin = world.clock();
      cli::RunResult result = world.run(settings);
      const eval::Evaluation& quantized = result.quantized;
      cost_.add(world.clock() - begin, quantized.network_seconds + quantized.waiting_seconds,
                quantized.accuracy.count);
      answered_[identity_key(world.identity(settings))] = {result.quantized.predictions,
                                                           result.quantized.right};
      return result;
    };
    return other;
  }

  double seconds_left() const {
    if (!budget_) return 1e18;
    return std::max(*budget_ - (world_.clock() - start_), 0.0);
  }

  /// Runs them in an order in which they share most; those that did not fail.
  std::vector<size_t> ran(std::vector<size_t> numbers, int64_t samples) {
    const std::vector<size_t> order = tree_order(configurations_);
    std::vector<size_t> place(order.size());
    for (size_t i = 0; i < order.size(); ++i) place[order[i]] = i;
    std::sort(numbers.begin(), numbers.end(),
              [&](size_t a, size_t b) { return place[a] < place[b]; });
    if (world_.announce) {
      std::vector<options::Settings> to_come;
      for (const size_t number : numbers) {
        if (keeper_.has_row_of(configurations_[number], samples)) continue;
        to_come.push_back(configurations_[number].settings);
      }
      world_.announce(std::move(to_come));
    }
    keeper_.expect(numbers.size());
    std::vector<size_t> good;
    for (const size_t number : numbers) {
      rows_[number] = *keeper_.row_of(configurations_[number], samples);
      if (!is_failed(keeper_.journal(), rows_[number])) good.push_back(number);
    }
    return good;
  }

  std::vector<size_t> drawn() {
    std::vector<size_t> lots(configurations_.size());
    for (size_t i = 0; i < lots.size(); ++i) lots[i] = i;
    for (size_t i = lots.size(); i > 1; --i) std::swap(lots[i - 1], lots[random_() % i]);
    return lots;
  }

  size_t first_size_after_trying(const std::vector<size_t>& lots) {
    ran({lots.front()}, sizes_.front());
    return first_size(cost_, sizes_, lots.size(), seconds_left());
  }

  /// As many lots as there is time for, this round and those behind it; in parts, since only runs
  /// tell how long they take.
  std::vector<size_t> first_round(const std::vector<size_t>& lots, size_t round) {
    std::vector<size_t> good;
    size_t done = 0;
    for (size_t part = 1; part > 0;) {
      const auto begin = lots.begin() + static_cast<std::ptrdiff_t>(done);
      const auto more = ran({begin, begin + static_cast<std::ptrdiff_t>(part)}, sizes_[round]);
      good.insert(good.end(), more.begin(), more.end());
      done += part;
      const double spent = static_cast<double>(done) * cost_.seconds(sizes_[round]);
      const size_t most = affordable(cost_, sizes_, round, lots.size(), seconds_left() + spent);
      const size_t left = std::max(most, done) - done;
      part = budget_ ? std::min(left, done) : left;
    }
    return good;
  }

  Standing standing_of(size_t number) const {
    const auto cell = [&](const char* name) {
      return keeper_.journal().cell(rows_.at(number), name);
    };
    const std::string agreement = cell("agreement");
    return {number, std::stoll(cell("correct")), agreement.empty() ? 0 : std::stod(agreement)};
  }

  std::vector<size_t> ranked(const std::vector<size_t>& numbers) const {
    std::vector<Standing> standings;
    for (const size_t number : numbers) standings.push_back(standing_of(number));
    return best_of(std::move(standings), numbers.size());
  }

  /// Whether chance does not explain that `number` has fewer right than `best`. Not known of rows
  /// that an earlier search left.
  bool is_worse(size_t best, size_t number) const {
    const TextTable& table = keeper_.journal();
    const auto a = answered_.find(identity_key(table, rows_.at(best)));
    const auto b = answered_.find(identity_key(table, rows_.at(number)));
    if (a == answered_.end() || b == answered_.end()) return false;
    const auto counts = eval::compare(a->second.answers(), b->second.answers());
    return eval::paired_difference(counts).high < 0;
  }

  /// The best first; all of them behind the last round.
  std::vector<size_t> kept(const std::vector<size_t>& numbers, size_t round) const {
    if (numbers.empty()) throw QuantizationError("all configurations of the search failed");
    std::vector<size_t> best = ranked(numbers);
    const size_t leader = best.front();
    best.erase(std::remove_if(best.begin(), best.end(),
                              [&](size_t number) { return is_worse(leader, number); }),
               best.end());
    if (round + 2 == sizes_.size()) return best;
    const size_t half = survivors(numbers.size(), std::nullopt);
    const size_t most = affordable(cost_, sizes_, round + 1, half, seconds_left());
    if (best.size() > most) best.resize(most);
    return best;
  }

  void finish(const std::vector<size_t>& finalists) {
    report_.winner = configurations_[finalists.front()];
    report_.as_good = finalists.size() - 1;
    Configuration last = report_.winner;
    last.settings.set(*options::find_option("validation-skip"), report_.search_images,
                      options::Source::kCommandLine);
    const Row row = *keeper_.row_of(last, report_.held_out_images);
    if (is_failed(keeper_.journal(), row)) {
      throw QuantizationError("the best configuration failed on the images kept aside: " +
                              keeper_.journal().cell(row, "error"));
    }
    report_.held_out_correct = std::stoll(keeper_.journal().cell(row, "correct"));
    report_.results.columns = keeper_.journal().columns;
    for (const auto& [number, each] : rows_) report_.results.rows.push_back(each);
  }

  const std::vector<Configuration>& configurations_;
  const std::optional<double> budget_;
  const SweepOptions options_;
  /// By identity: what was answered in this process.
  std::map<std::string, Answered> answered_;
  RunCost cost_;
  const SweepWorld world_;
  Log& log_;
  const double start_;
  RowKeeper keeper_;
  std::mt19937_64 random_;
  /// Images of each round, and behind them those kept aside.
  std::vector<int64_t> sizes_;
  /// By position: of the last round that a configuration was in.
  std::map<size_t, Row> rows_;
  SearchReport report_;
};

void require_one_model(const Expansion& expansion) {
  const auto& all = expansion.configurations;
  const auto model = [](const Configuration& each) {
    return model_label(each.settings) + "\n" + model_path(each.settings);
  };
  const std::string first = model(all.front());
  for (const Configuration& each : all) {
    if (model(each) != first) {
      throw ConfigError(
          "--search compares configurations of one model, and the file names several");
    }
  }
}

std::string yaml_value(const options::Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return yaml_text(*text);
  if (const auto* texts = std::get_if<std::vector<std::string>>(&value)) {
    std::vector<std::string> words;
    for (const std::string& word : *texts) words.push_back(yaml_text(word));
    return "[" + joined(words) + "]";
  }
  if (const auto* numbers = std::get_if<std::vector<double>>(&value)) {
    std::vector<std::string> words;
    for (const double number : *numbers) words.push_back(options::to_text(number));
    return "[" + joined(words) + "]";
  }
  return options::to_text(value);
}

}  // namespace

SearchReport search(const Expansion& expansion, const SweepOptions& options, double held_out,
                    const SweepWorld& world, Log& log) {
  if (!options.shard.is_whole()) {
    throw ConfigError("--search compares all configurations and cannot be combined with --shard");
  }
  require_one_model(expansion);
  return Search(expansion, options, held_out, world, log).run();
}

void write_winner(const std::string& path, const SearchReport& report) {
  AtomicFile file(path);
  file.stream() << "# " << report.held_out_correct << " of " << report.held_out_images
                << " images right that the search on " << report.search_images
                << " others did not use\n";
  for (const options::Option& option : options::option_table()) {
    if (!report.winner.settings.given(option.name)) continue;
    file.stream() << option.name << ": " << yaml_value(report.winner.settings.value(option.name))
                  << "\n";
  }
  file.commit();
}

}  // namespace ptq::sweep
