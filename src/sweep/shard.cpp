#include "sweep/shard.h"

#include <charconv>

#include "ptq/base/error.h"

namespace ptq::sweep {
namespace {

bool read_number(std::string_view text, int& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number >= 1;
}

}  // namespace

Shard parse_shard(const std::string& text) {
  const size_t slash = text.find('/');
  Shard shard;
  const std::string_view whole = text;
  const bool is_good = slash != std::string::npos &&
                       read_number(whole.substr(0, slash), shard.number) &&
                       read_number(whole.substr(slash + 1), shard.of) && shard.number <= shard.of;
  if (!is_good) {
    throw ConfigError(
        "--shard takes two numbers such as 2/4, the first of at most the second, not " + text);
  }
  return shard;
}

std::vector<size_t> share_of(const Shard& shard, const std::vector<size_t>& order) {
  const auto bound = [&](int number) {
    return static_cast<std::ptrdiff_t>(order.size() * static_cast<size_t>(number) /
                                       static_cast<size_t>(shard.of));
  };
  return {order.begin() + bound(shard.number - 1), order.begin() + bound(shard.number)};
}

std::string journal_name(const Shard& shard) {
  if (shard.is_whole()) return "journal.csv";
  return "journal-" + std::to_string(shard.number) + "-of-" + std::to_string(shard.of) + ".csv";
}

}  // namespace ptq::sweep
